"""A Chinese prompt to moves, effects, light, and what is left undone.

Terms of camera work (推近, 左摇) speak for themselves; everyday ones (上升, 向左) count only after the
camera, so that 太阳升起 moves nothing.
"""

from __future__ import annotations

from typing import Any

from wanvideo.preview.plan import MOVES
from wanvideo.preview.words.chinese_grid import height_between, sides, way
from wanvideo.preview.words.chinese_scenery import scenery_at, undone
from wanvideo.preview.words.chinese_words import Clause, clauses
from wanvideo.preview.words.vocabulary import Reading, groups

_RELATIVE = "的"
_SIDEWAYS = frozenset("左右")
_SEEN = ("between", "pace", "joins")  # terms that leave the camera the subject, and a refusal in force
_REACH = 16  # terms of a clause in which 逆时针 or 拍摄 still belongs to an orbit


def read(text: str, *, refusing: bool = False) -> Reading:
    """Find what `text` asks for and what it refuses, which is everything if `refusing`."""
    reader = _Reader(refusing)
    for clause in clauses(text):
        reader.read(clause)
    return Reading(
        tuple(reader.asked),
        frozenset(reader.denied),
        reader.pace,
        tuple(sorted(reader.unused)),
    )


class _Reader:
    def __init__(self, refusing: bool) -> None:
        self.refusing = refusing
        self.asked: list[tuple[int, str]] = []
        self.denied: set[str] = set()
        self.unused: list[tuple[int, str]] = []
        self.pace = 1.0
        self.camera_acts = False  # the camera is the subject of what comes next
        self.camera_moved = False  # in this sentence
        self.ways: dict[str, dict[str, str]] = groups("chinese", "ways")[0]

    def read(self, clause: Clause) -> None:
        if clause.begins_sentence:
            self.camera_acts = self.camera_moved = False
        self.terms = clause.terms
        self.used: set[int] = set()
        self.negated = self.refusing
        self.follows = self.orbits = False
        if self.terms and "joins" in self.terms[0].parts and self.camera_moved:
            self.camera_acts = True
        at = 0
        while at < len(self.terms):
            is_handled = not self.camera_acts and clause.handles_a_thing(at)
            camera_end = 0 if is_handled else self._camera(at)
            at = camera_end or self._scenery(at) or self._between(at) or self._plain(at)
        self.unused += undone(self.terms, self.used)

    # Each of these returns the index to go on from; the first three 0 when they do not apply.

    def _camera(self, at: int) -> int:
        parts = self.terms[at].parts
        if "not_camera" in parts:
            self.camera_acts, self.negated = False, self.refusing
            self.unused.append((self.terms[at].start, self.terms[at].text))
            return at + 1
        if "still" in parts:
            return self._move(at, at + 1, "still")
        if "any_move" in parts and (self.negated or "camera" not in parts):
            self._any_move(at)
            return at + 1
        for kind, read in (("direction", self._directed), ("reaches", self._reach), ("verb", self._verb)):
            if kind in parts and (end := read(at)):
                return end
        if "move" in parts:
            return self._move(at, at + 1, self._turned(at, parts["move"]))
        if "alone_move" in parts and all(set(term.parts) & {*_SEEN, "alone_move"} for term in self.terms):
            return self._move(at, at + 1, parts["alone_move"])
        if "camera" in parts or ("frame" in parts and self._is_framing(at)):
            self.camera_acts = True
            self.used |= set() if "undone" in parts else {at}  # 跟拍 is camera work, but not done
            return at + 1
        if "bare" in parts and (self.negated or self.camera_acts or self._camera_near(at)):
            return self._bare(at)
        return self._everyday(at)

    def _everyday(self, at: int) -> int:
        """What counts only when the camera does it: 上升, 靠近, 晃动, 静止."""
        parts = self.terms[at].parts
        if self.orbits and ("verb" in parts or "camera_move" in parts):
            self.used.add(at)  # 镜头围绕雕像旋转
            return at + 1
        if "shakes" in parts and (
            self.camera_acts or self._camera_follows(at + 1) or self._is_refused_alone(at)
        ):
            return self._move(at, at + 1, "handheld")
        if not (self.camera_acts or self._is_filmed_round(at)):
            return 0
        if "motion" in parts and self.negated and at + 1 == len(self.terms):
            self._any_move(at)
            return at + 1
        if "follows" in parts:
            self.follows = True
            return at + 1
        if "stays" in parts:
            return self._move(at, at + 1, "still")
        if "on_the_way" in parts:  # 左移，掠过橱窗: only what it passes
            self.used.add(at)
            return at + 1 if self.camera_moved else self._move(at, at + 1, parts["on_the_way"])
        if "camera_move" in parts:
            return self._move(at, at + 1, self._turned(at, parts["camera_move"]))
        return 0

    def _is_filmed_round(self, at: int) -> bool:
        """围绕人物旋转拍摄: somebody films, so it is the camera that goes round."""
        round_it = str(self._part(at, "camera_move")).startswith("orbit")
        return round_it and any(
            "拍" in term.text or "运镜" in term.text for term in self.terms[at : at + _REACH]
        )

    def _is_refused_alone(self, at: int) -> bool:
        """不要晃动, and 晃动 as an entry of a negative prompt."""
        return self.negated and at + 1 == len(self.terms)

    def _directed(self, at: int) -> int:
        """向左侧缓慢平移, 从左到右移动; 镜头向左."""
        direction = self.terms[at].parts["direction"]
        to = self._skip(at + 1)
        verb = self._part(to, "verb")
        if self.orbits and self.asked and direction in self.ways["orbit"]:  # 镜头绕着雕像向左转
            self.asked[-1] = (self.asked[-1][0], self.ways["orbit"][direction])
            self.used.add(at)
            return at + 1
        if verb and (verb["when"] == "sure" or self.camera_acts or self._camera_follows(to + 1)):
            token = way(verb["goes"], direction)
            if token:
                return self._move(at, to + 1, token)
        if self.camera_acts and (token := way("carry", direction)):
            return self._move(at, at + 1, token)
        if direction in self.ways["orbit"] and "wise" in direction:
            self.used.add(at)
            return at + 1
        return 0

    def _verb(self, at: int) -> int:
        """摇向左侧: the direction after its verb."""
        verb = self.terms[at].parts["verb"]
        to = self._skip(at + 1)
        direction = self._part(to, "direction")
        token = way(verb["goes"], direction or "")
        is_move_itself = "camera_move" in self.terms[at].parts  # 推进，向右移动 are two moves
        if not token or is_move_itself or not (verb["when"] == "sure" or self.camera_acts):
            return 0
        return self._move(at, to + 1, token)

    def _reach(self, at: int) -> int:
        """移到右侧, 摇向天空, 推向大门: where to, or what to."""
        goes, token = self.terms[at].parts["reaches"]
        is_sure = self.terms[at].parts["verb"]["when"] == "sure"
        if not (self.camera_acts or is_sure):
            return 0
        to = self._skip(at + 1)
        place = self.terms[to].text.removesuffix(_RELATIVE) if to < len(self.terms) else ""
        if sideways := way(goes, sides().get(place, "")):
            return self._move(at, to + 1, sideways)
        if not self.camera_acts:
            return 0
        if goes == "turn":
            token = way(goes, height_between(self._text(at - _REACH, at), self._text(at + 1))) or token
        return self._move(at, at + 1, token)

    def _is_framing(self, at: int) -> bool:
        """画面向左移动, 画面缓缓上升; but not 画面中 and 画面升起一轮太阳."""
        to = self._skip(at + 1)
        is_last = all("joins" in term.parts for term in self.terms[to + 1 : to + 2])
        to_side = any("reaches" in term.parts for term in self.terms[to + 1 : to + 4])
        return any(self._part(to, kind) for kind in ("direction", "reaches")) or (
            to_side if self._part(to, "follows") else is_last and self._part(to, "camera_move") is not None
        )

    def _bare(self, at: int) -> int:
        tokens = str(self.terms[at].parts["bare"]).split()
        if self.negated:
            self.denied.update(tokens)
            self.used.add(at)
            return at + 1
        to = self._skip(at + 1)
        if any(self._part(to, kind) for kind in ("move", "camera_move", "direction")):
            self.used.add(at)
            self.camera_acts = True  # 升降镜头上升: what follows says where to
            return at + 1
        return self._move(at, at + 1, tokens[0])

    def _any_move(self, at: int) -> None:
        self.used.add(at)
        if self.negated:
            self.denied.update(MOVES)
            self.asked.append((self.terms[at].start, "still"))
        self.camera_acts = True

    def _turned(self, at: int, token: str) -> str:
        """The token of an orbit or a roll after 顺时针 or 逆时针 anywhere in its clause."""
        way = token.split("_")[0]
        if way not in ("orbit", "roll"):
            return token
        for term in self.terms[max(0, at - _REACH) : at + _REACH]:
            if "wise" in str(term.parts.get("direction", "")):
                return self.ways[way][term.parts["direction"]]
        return token

    def _move(self, at: int, end: int, token: str) -> int:
        if self.negated:
            self.denied.update(token.split())
            if end == at + 1 and not set(self.terms[at].text) & _SIDEWAYS:  # 不要旋转: neither way
                self.denied.add(token.replace("_right", "_left"))
        else:
            self.asked += [(self.terms[at].start, each) for each in token.split()]
            for index in range(at, end):
                self._set_pace(index)
        self.used.update(range(at, end))
        self.camera_acts = self.camera_moved = True
        self.orbits = self.orbits or token.startswith("orbit")
        return end

    def _scenery(self, at: int) -> int:
        found = scenery_at(self.terms, at, negated=self.negated)
        self.used |= found.used
        self.denied |= found.stopped
        if not found.tokens:
            return 0
        if self.negated:
            self.denied.update(found.tokens)
        else:
            self.asked += [(self.terms[at].start, token) for token in found.tokens]
        self.camera_acts = self.camera_acts and self.follows
        return at + 1

    def _between(self, at: int) -> int:
        """Adverbs, joins and negators."""
        parts = self.terms[at].parts
        if "negator" in parts:
            self.negated = True
        elif "ends_refusal" in parts:
            self.negated = self.refusing
        elif "pace" in parts:
            self._set_pace(at)
        elif not set(parts) & set(_SEEN):
            return 0
        if self.negated:
            self.used.add(at)
        return at + 1

    def _plain(self, at: int) -> int:
        if self.negated and set(self.terms[at].parts) & {"action", "undone"}:
            self.used.add(at)
        if self.terms[at].text != _RELATIVE:
            self.camera_acts = self.camera_acts and self.follows
            self.negated = self.refusing
        return at + 1

    def _set_pace(self, at: int) -> None:
        """An adverb counts when it speaks of the camera: after it, or before a camera term."""
        factor = self._part(at, "pace")
        if factor is None or self.pace != 1 or self.negated:
            return
        to = self._skip(at + 1)
        speaks = self.camera_acts or any(
            self._part(to, kind) is not None for kind in ("move", "camera", "any_move", "bare", "direction")
        )
        if speaks or (self._part(to, "verb") or {}).get("when") == "sure":
            self.pace = float(factor)

    def _camera_near(self, at: int) -> bool:
        return "镜头" in self.terms[at].text or self._camera_follows(at + 1)

    def _camera_follows(self, at: int) -> bool:
        return self._part(at, "camera") is not None

    def _skip(self, at: int) -> int:
        while at < len(self.terms) and set(self.terms[at].parts) & {"between", "pace"}:
            if "verb" in self.terms[at].parts:
                break
            at += 1
        return at

    def _text(self, start: int, end: int | None = None) -> str:
        return "".join(term.text for term in self.terms[max(0, start) : end or start + _REACH])

    def _part(self, at: int, kind: str) -> Any:
        return self.terms[at].parts.get(kind) if at < len(self.terms) else None
