"""Every verb of the camera in every direction, in both languages, and plain descriptions that ask nothing."""

from __future__ import annotations

import itertools

import pytest

from wanvideo.preview import plan

CARRIED = {
    "left": "truck_left",
    "right": "truck_right",
    "up": "pedestal_up",
    "down": "pedestal_down",
    "in": "in",
    "out": "out",
}
TURNED = {"left": "pan_left", "right": "pan_right", "up": "tilt_up", "down": "tilt_down"}

CHINESE_VERBS = dict.fromkeys(("推", "拉", "移", "移动", "平移", "滑动"), CARRIED) | dict.fromkeys(
    ("摇", "转", "转动", "扫"), TURNED
)
CHINESE_SIDES = {"left": "左", "right": "右", "up": "上", "down": "下", "in": "前", "out": "后"}
CHINESE_CAMERAS = ("镜头", "机位", "画面")

ENGLISH_CARRIERS = {
    "move": ("moves", "moving", "moved"),
    "track": ("tracks", "tracking", "tracked"),
    "dolly": ("dollies", "dollying", "dollied"),
    "slide": ("slides", "sliding", "slid"),
    "glide": ("glides", "gliding", "glided"),
    "fly": ("flies", "flying", "flew"),
    "drift": ("drifts", "drifting", "drifted"),
    "step": ("steps", "stepping", "stepped"),
}
ENGLISH_TURNERS = {
    "pan": ("pans", "panning", "panned"),
    "tilt": ("tilts", "tilting", "tilted"),
    "turn": ("turns", "turning", "turned"),
    "swing": ("swings", "swinging", "swung"),
    "sweep": ("sweeps", "sweeping", "swept"),
    "scan": ("scans", "scanning", "scanned"),
    "swivel": ("swivels", "swiveling", "swiveled"),
}
ENGLISH_DIRECTIONS = {
    "left": ("left", "leftwards", "to the left", "towards the left", "from right to left"),
    "right": ("right", "rightward", "to the right", "toward the right", "from left to right"),
    "up": ("up", "upward", "slowly upwards"),
    "down": ("down", "downward", "slowly downwards"),
    "in": ("forward", "forwards", "slowly forward"),
    "out": ("back", "backwards", "slowly backward"),
}

DESCRIPTIONS = """
一位年迈的调酒师站在吧台后，暖色灯光
理发店的门口，红白蓝转灯，复古招牌
餐桌上的炒饭、烤鸭和一盘饺子，俯拍
窗边的钢琴和一把旧吉他
图书馆里的书架，木质长桌，绿色台灯
会议室里的白板和投影仪
操场边的自行车棚，篮球架，足球门
厨房里的洗碗机和咖啡机，北欧风格
一家老书店，橱窗里的漫画和小说
办公楼大堂，大理石地面，前台
摄影工作室，灰色背景布，柔光箱
公园长椅，秋日，满地的落叶
古镇的石桥，河边的柳树，乌篷船
海边小镇的白色房子，蓝色屋顶，阳光
雪山下的湖泊，平静的湖面，倒影
美术馆里的油画和雕塑
游泳池，蓝色瓷砖，躺椅
健身房里的跑步机和哑铃
讲台上的地球仪和课本
穿西装的年轻男子肖像，半身像，浅景深
戴眼镜的女孩，短发，温柔的眼神
一只橘猫在沙发上，毛毯，壁炉
江南水乡的清秀少女肖像，旗袍，油纸伞
红色跑车，城市街道，霓虹灯，电影感
桌上的一杯咖啡和一本翻旧的书
森林中的小木屋，苔藓，蘑菇
瀑布旁的石头，青苔，特写
长江边的城市，现代建筑，天际线
画面左侧是一棵老树，右侧是一座小屋
从上往下看的城市模型
山顶的寺庙，云海，金色阳光
前景是一束花，背景是远山
左边的女孩和右边的男孩，面对面的肖像
一辆红色的推车和一台拖拉机
A red truck on the left, a blue house on the right
Portrait of an old woman in a knit sweater
An inward courtyard with a fountain
A back alley in Tokyo, neon signs
A spiral staircase seen from above
An arc of stones, a circular table
A step pyramid in the jungle
The ride at an amusement park
Reverse side of a coin
Wooden bridge toward the left bank
An upward staircase in a tower
""".strip().splitlines()


def not_as_wanted(wanted: dict[str, str]) -> list[str]:
    wrong = []
    for prompt, move in wanted.items():
        understood = plan(prompt)
        if not understood.asked or understood.moves != (move,) or understood.unused_words:
            wrong.append(f"{prompt!r}: {understood}")
    return wrong


@pytest.mark.parametrize("camera", CHINESE_CAMERAS)
def test_chinese_verbs_go_in_every_direction(camera: str) -> None:
    wanted = {}
    for (verb, ways), (direction, side) in itertools.product(CHINESE_VERBS.items(), CHINESE_SIDES.items()):
        if direction not in ways:
            continue
        for toward, edge in itertools.product("向往朝", ("", "边", "侧", "方")):
            wanted[f"{camera}{toward}{side}{edge}{verb}"] = ways[direction]
            wanted[f"{camera}缓缓{toward}{side}{edge}{verb}，她站着"] = ways[direction]
        for reach, edge in itertools.product("向到至往", "边侧方"):
            wanted[f"{camera}{verb}{reach}{side}{edge}"] = ways[direction]
    assert not_as_wanted(wanted) == []


@pytest.mark.parametrize("camera", CHINESE_CAMERAS)
def test_chinese_verbs_go_from_side_to_side(camera: str) -> None:
    wanted = {}
    sides = [("左", "右", "right"), ("右", "左", "left"), ("上", "下", "down"), ("下", "上", "up")]
    for (verb, ways), (start, end, direction) in itertools.product(CHINESE_VERBS.items(), sides):
        for prompt in (
            f"{camera}从{start}到{end}{verb}",
            f"{camera}由{start}往{end}缓缓{verb}",
            f"{camera}从{start}侧{verb}到{end}侧",
        ):
            wanted[prompt] = ways[direction]
    assert not_as_wanted(wanted) == []


@pytest.mark.parametrize(
    ("verbs", "ways"), [(ENGLISH_CARRIERS, CARRIED), (ENGLISH_TURNERS, TURNED)], ids=["carried", "turned"]
)
def test_english_verbs_go_in_every_direction(
    verbs: dict[str, tuple[str, str, str]], ways: dict[str, str]
) -> None:
    wanted = {}
    for (verb, (does, doing, did)), direction in itertools.product(verbs.items(), ways):
        for words in ENGLISH_DIRECTIONS[direction]:
            wanted[f"the camera {does} {words}"] = ways[direction]
            wanted[f"camera gently {doing} {words}"] = ways[direction]
            wanted[f"the camera {did} {words}"] = ways[direction]
            wanted[f"the camera will {verb} {words}"] = ways[direction]
    assert not_as_wanted(wanted) == []


@pytest.mark.parametrize("prompt", DESCRIPTIONS)
def test_a_plain_description_asks_for_nothing(prompt: str) -> None:
    understood = plan(prompt)
    assert not understood.asked
    assert understood.effects == understood.light == understood.unused_words == ()
