"""Effects, light and actions of a Chinese clause.

Weather counts when it is named; water, clouds and petals, which are in most pictures, when they are said to
move. Actions (微笑) and changes (慢动作) are what the renderer leaves undone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wanvideo.preview.plan import EFFECTS
from wanvideo.preview.words.chinese_words import Term

_PLACES = frozenset("上中里间下内面")  # 湖面上, 天空中
_ADVERBIAL = frozenset({"在", "从", "由", "随", "沿", "随着", "沿着", "如", "像", "向", "往", "朝", "随风"})
_AFTER_VERB = frozenset("着了过起")
_BEFORE_VERB = frozenset({*"在正她他它们里上下中旁边前", "正在", "一起"})
_RELATIVE = "的"
_COUNTS = frozenset({*"着了过几一两片朵滴阵些点层的", "一片", "片片", "朵朵", "无数", "一些", "许多", "一点"})
_COUNTED = 4  # such terms between 飘着 and 白云
_BRINGS = frozenset("下过起落着了")
_NOUN_MAKERS = frozenset("师员手者店馆室间厅课机器场池鞋服帽椅垫棒板班队社楼桌台杖竿壶袋犬车布厂赛房")
_ENDS_OF_VERBS = frozenset("进出上下开入过向到来去起着了住向")
_REACH = 16  # terms between 白云 and 飘过


@dataclass
class Found:
    """What a term stands for: `tokens` asked for (or refused, if negated), what has `stopped`
    (雨停了), and the terms it took with it.
    """

    tokens: list[str] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    used: set[int] = field(default_factory=set)


def scenery_at(terms: list[Term], at: int, *, negated: bool) -> Found:
    """The effects and light that the term at `at` names."""
    found, parts = Found(), terms[at].parts
    if "stopped" in parts:
        found.stopped.add(parts["stopped"])
        found.used.add(at)
    if "trap" not in parts:
        for kind in ("weather", "light"):
            found.tokens += str(parts.get(kind, "")).split()
    if "bare_weather" in parts and _stands_alone(terms, at):
        found.tokens.append(parts["bare_weather"])
    for group in parts.get("flow", ()):
        effect = group["means"]
        if (negated and effect in EFFECTS) or _flows(terms, at, group, found):
            found.tokens.append(effect)
    if at + 1 < len(terms) and "colour" in terms[at + 1].parts:  # 晚霞色
        found.tokens.clear()
    if found.tokens:
        found.used.add(at)
        if not negated:
            _use_verb(terms, at, found)
    return found


def _use_verb(terms: list[Term], at: int, found: Found) -> None:
    """雪花飘落, 飘落的雪花: the verb is acted on with its weather."""
    to = at + 1
    while to < len(terms) and set(terms[to].parts) & {"between", "pace"}:
        to += 1
    before = at - 2 if at and terms[at - 1].text in _AFTER_VERB | {_RELATIVE} else at - 1
    for index in (before, to):
        if 0 <= index < len(terms) and set(terms[index].parts) & {"does", "happens"}:
            found.used.add(index)


def _stands_alone(terms: list[Term], at: int) -> bool:
    """Whether a single character is a word: 没有雪, 雨下得很大, but not 雪茄."""
    around = [terms[index].parts for index in (at - 1, at + 1) if 0 <= index < len(terms)]
    return all(parts and "trap" not in parts for parts in around)


def _flows(terms: list[Term], at: int, group: dict[str, Any], found: Found) -> bool:
    """Whether it moves: 白云在天空中飘过, 飘动的云, but not 湖面上一只天鹅游动."""
    does = frozenset(group["does"])
    if at >= 2 and terms[at - 1].text == _RELATIVE and terms[at - 2].text in does:
        found.used.add(at - 2)
        return True
    if (said := _said_before(terms, at, does)) is not None:
        found.used.add(said)
        return True
    adverbial = False
    for index in range(at + 1, min(len(terms), at + 1 + _REACH)):
        term = terms[index]
        if term.text in does:
            found.used.add(index)
            return True
        adverbial = adverbial or term.text in _ADVERBIAL
        may_stand = set(term.parts) & {"between", "pace", "joins", "flow"} or term.text in _PLACES
        if not (adverbial or may_stand) or (term.text == _RELATIVE and not adverbial):
            return False
    return False


def _said_before(terms: list[Term], at: int, does: frozenset[str]) -> int | None:
    """The verb of what it brings: 飘着几朵白云, 落下片片花瓣."""
    index = at - 1
    while index >= 0 and index >= at - _COUNTED and terms[index].text in _COUNTS:
        index -= 1
    is_near = index >= 0 and terms[index].text.rstrip("着了") in does
    brings = index < at - 1 or terms[index].text[-1:] in _BRINGS
    return index if is_near and brings else None


def undone(terms: list[Term], used: set[int]) -> list[tuple[int, str]]:
    """Offset and term of every action and change that nothing has been made of."""
    return [
        (term.start, term.text)
        for index, term in enumerate(terms)
        if index not in used
        and set(term.parts) & {"action", "undone"}
        and not _is_noun_here(terms, index)
        and (len(term.text) > 1 or _is_verb_here(terms, index))
    ]


def _is_noun_here(terms: list[Term], at: int) -> bool:
    """Whether it only names a thing: 调酒师, 跑步机, 讨论室, 温暖的微笑."""
    text, after = terms[at].text, terms[at + 1].text if at + 1 < len(terms) else ""
    if after[:1] in _NOUN_MAKERS and text[-1] not in _ENDS_OF_VERBS:
        return bool(after)
    is_last = after in ("", _RELATIVE, "和", "与")
    return is_last and at > 1 and terms[at - 1].text == _RELATIVE and "pace" not in terms[at - 2].parts


def _is_verb_here(terms: list[Term], at: int) -> bool:
    """Whether a single character is a verb: 笑着, 在吃雪糕, but not 好看的."""
    if at and terms[at - 1].text in _BEFORE_VERB:
        return True
    if at + 1 == len(terms):
        before = terms[at - 1].parts if at else {}
        return bool(before) and not {"follows", "direction"} & set(before)  # 从上方看
    return terms[at + 1].text in _AFTER_VERB
