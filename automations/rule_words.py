"""A compiled rule as lines that a person reads, and how two of them differ (R25)."""

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

import msgspec

from automations.page_words import ACTIONS, ON_UNKNOWN, TRIGGERS, WORDS
from core.config import Rule, Step, Trigger
from core.logic import tree

LANGUAGES = ("zh", "en")
_SAID: dict[str, dict[str, str]] = {
    "zh": {
        "mode": "模式",
        "off": "关闭",
        "shadow": "影子（只记录）",
        "advise": "建议",
        "enforce": "执行",
        "in": "在",
        "when": "当",
        "only_if": "仅当",
        "value": "取值",
        "do": "执行",
        "after": "之后",
        "unknown": "无法判定时",
        "closes": "结束条件",
        "life_safety": "生命安全",
        "within": "时限",
        "if": "如果",
    },
    "en": {
        "mode": "mode",
        "off": "off",
        "shadow": "shadow (only written down)",
        "advise": "advise",
        "enforce": "enforce",
        "in": "in",
        "when": "when",
        "only_if": "only if",
        "value": "value",
        "do": "it",
        "after": "after",
        "unknown": "when it cannot be known",
        "closes": "ends when",
        "life_safety": "life safety",
        "within": "within",
        "if": "if",
    },
}
_HIDDEN = frozenset({"id", "trigger", "action"})
#: The language's own words, as a Chinese reader knows them.
_KEYS_ZH = {
    "above": "高于",
    "around": "周边",
    "at": "时刻",
    "below": "低于",
    "chain": "通知链",
    "channels": "渠道",
    "code": "代码",
    "condition": "条件",
    "count": "次数",
    "event": "事件",
    "for": "持续",
    "fuse": "合并",
    "hysteresis": "回差",
    "if_none": "无设备时",
    "kind": "种类",
    "kinds": "种类",
    "linked": "含关联票",
    "max_age": "最大时效",
    "neighbours": "含相邻区域",
    "of": "测量",
    "output": "输出",
    "people": "人数",
    "persons": "人员",
    "priority": "级别",
    "rate": "变化窗口",
    "respond_within": "响应时限",
    "retest": "复测",
    "roles": "角色",
    "stuck": "冻结",
    "unit": "单位",
    "value": "值",
    "zone": "区域",
}


class Line(msgspec.Struct, frozen=True):
    """Hold one line of a diff: ``+`` is new, ``-`` is gone, '' stays."""

    sign: str
    zh: str
    en: str


def lines(rule: Rule, language: str) -> list[str]:
    """Return what a compiled rule does, one fact a line."""
    said = _SAID[language]
    found = [
        f"{rule.blueprint or rule.id} {rule.version}"
        + (f" · {said['life_safety']}" if rule.life_safety else ""),
        f"{said['mode']}: {said.get(rule.mode, rule.mode)}",
    ]
    for zone, mode in sorted(rule.zone_modes.items()):
        found.append(f"{said['mode']} {said['in']} {zone}: {said.get(mode, mode)}")
    for trigger in rule.triggers:
        found.append(f"{said['when']} {trigger_line(trigger, language)}")
    for name, value in sorted(rule.values.items()):
        found.append(f"{said['value']} {name} = {_facts(value.fields, language)}")
    if rule.condition is not None:
        found.append(f"{said['only_if']} {expression(rule.condition)}")
    names = {step.path: _name(step, language) for step in _all(rule.steps)}
    found += _steps(rule.steps, names, language, 0)
    found.append(f"{said['unknown']}: {ON_UNKNOWN[language][rule.on_unknown]}")
    if rule.closes is not None:
        found.append(f"{said['closes']} {expression(rule.closes)}")
    return found


def diff(old: Rule | None, new: Rule | None) -> list[Line]:
    """Return both rules line by line; None is no rule at all."""
    befores = {k: lines(old, k) if old is not None else [] for k in LANGUAGES}
    afters = {k: lines(new, k) if new is not None else [] for k in LANGUAGES}
    matcher = SequenceMatcher(None, befores["en"], afters["en"], autojunk=False)
    found: list[Line] = []
    for word, a, b, c, d in matcher.get_opcodes():
        if word == "equal":
            found += _take("", afters, c, d)
        else:
            found += _take("-", befores, a, b)
            found += _take("+", afters, c, d)
    return found


def _take(
    sign: str, told: Mapping[str, list[str]], first: int, last: int
) -> Iterator[Line]:
    for at in range(first, last):
        yield Line(sign, told["zh"][at], told["en"][at])


def trigger_line(trigger: Trigger, language: str) -> str:
    """Return what a trigger waits for, in one line."""
    word = TRIGGERS[language].get(trigger.platform, trigger.platform)
    facts = _facts(trigger.fields, language)
    return f"{word}: {facts} ({trigger.subject})" if facts else word


def _name(step: Step, language: str) -> str:
    said = ACTIONS[language].get(step.action, step.action)
    facts = _facts(step.fields, language)
    return f"{said}: {facts}" if facts else said


def _all(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        for branch in (*step.branches, step.on_failure):
            yield from _all(branch)


def _steps(
    steps: tuple[Step, ...], names: Mapping[str, str], language: str, deep: int
) -> Iterator[str]:
    said, words = _SAID[language], WORDS[language]
    pad = "  " * deep
    for step in steps:
        parts = [f"{pad}{said['do']} {names[step.path]}"]
        if step.when is not None:
            parts.append(f"{said['if']} {expression(step.when)}")
        if step.after:
            first = ", ".join(names.get(each, each) for each in step.after)
            parts.append(f"{said['after']} {first}")
        parts.append(f"{said['within']} {span(step.deadline_s)}")
        yield " · ".join(parts)
        titles = ("do",) if step.action == "repeat" else ("then", "else")
        for title, branch in zip(titles, step.branches, strict=False):
            if branch:
                yield f"{pad}  {words[title]}:"
                yield from _steps(branch, names, language, deep + 2)
        if step.on_failure:
            yield f"{pad}  {words['on_failure']}:"
            yield from _steps(step.on_failure, names, language, deep + 2)


def _facts(fields: Mapping[str, Any], language: str) -> str:
    words = _KEYS_ZH if language == "zh" else {}
    return "; ".join(
        f"{words.get(key, key)} {_value(key, value)}"
        for key, value in sorted(fields.items())
        if key not in _HIDDEN
    )


_SPANS = frozenset({"for", "max_age", "rate", "stuck", "respond_within", "within"})


def _value(key: str, value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(str(each) for each in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return span(float(value)) if key in _SPANS else f"{value:g}"
    return str(value)


def span(seconds: float) -> str:
    """Return a duration as the language writes it."""
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def expression(node: tree.Node) -> str:
    """Return an expression as its author would write it."""
    match node:
        case tree.Literal(value=value):
            text = f"'{value}'" if isinstance(value, str) else _value("", value)
        case tree.Name(name=name):
            text = name
        case tree.Compare(op=op) | tree.Arithmetic(op=op):
            text = f"{_inner(node.left)} {op.replace('_', ' ')} {_inner(node.right)}"
        case tree.Not(item=item):
            text = f"not {_inner(item)}"
        case tree.Call(name=name, args=args):
            text = f"{name}({', '.join(expression(each) for each in args)})"
        case tree.Sequence(items=items):
            text = f"[{', '.join(expression(each) for each in items)}]"
        case tree.All(items=items):
            text = " and ".join(_inner(each) for each in items)
        case tree.Any(items=items):
            text = " or ".join(_inner(each) for each in items)
    return text


def _inner(node: tree.Node) -> str:
    text = expression(node)
    plain = isinstance(node, tree.Name | tree.Literal | tree.Call | tree.Sequence)
    return text if plain else f"({text})"


__all__ = ["Line", "diff", "expression", "lines", "span", "trigger_line"]
