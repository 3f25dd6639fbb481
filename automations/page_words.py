"""The words of the generated documentation, in both languages."""

HEADS = {
    "en": {
        "inputs": "Inputs",
        "columns": "Input|Meaning|Kind|Default",
        "starts": "When it starts",
        "only_if": "only if",
        "does": "What it does",
        "unknown": "When something cannot be known",
        "clauses": "Sources",
        "use": "How to use it",
        "tests": "Its tests",
        "life_safety": "life safety: enforces from arming",
        "index": "Shipped blueprints",
        "intro": "{count} blueprints come with the hub. Each carries its own tests, "
        "which `safehold blueprint test --all` runs. The words that they are made of "
        "stand in [the language](language{end}.md).",
        "index_columns": "Blueprint|Id|Note|Tests",
        "language": "The language of automations",
        "language_intro": "This page is written from the program: it lists each word, "
        "and tells the truth table that the hub computes with.",
        "triggers": "Triggers",
        "actions": "Actions",
        "names": "Names that conditions may use",
        "fusion": "Joining several readings",
        "fusion_text": "A trigger looks at every entity that its selector finds in a "
        "zone, and joins them by one of these words. A vote that loses a detector "
        "needs one less, down to one: 2oo3 becomes 1oo2. `for` is how long it must "
        "last, `max_age` how old a reading may be.",
        "truth": "Truth table",
        "truth_text": "Only a GOOD reading proves anything. A value beyond a limit "
        "acts unless its quality is TEST, INHIBITED, FAULT or NOT_PRESENT; everything "
        "else that is not GOOD is unknown, and unknown is never safe.",
    },
    "zh": {
        "inputs": "输入",
        "columns": "输入|含义|类型|默认值",
        "starts": "何时启动",
        "only_if": "仅当",
        "does": "做什么",
        "unknown": "无法判定时",
        "clauses": "依据",
        "use": "用法",
        "tests": "自带测试",
        "life_safety": "生命安全：布防即执行",
        "index": "随机附带的蓝图",
        "intro": "安全中枢附带 {count} 个蓝图，每个都带有自己的测试，"
        "`safehold blueprint test --all` 会全部运行。所用的词见"
        "[语言说明](language{end}.md)。",
        "index_columns": "蓝图|编号|说明|测试",
        "language": "自动化语言",
        "language_intro": "本页由程序生成：列出每个词，以及中枢实际使用的真值表。",
        "triggers": "触发器",
        "actions": "动作",
        "names": "条件中可用的名称",
        "fusion": "多个读数的合并",
        "fusion_text": "触发器查看其选择器在区域内找到的每个实体，并按下列词合并。"
        "表决失去一个探测器时所需数减一，最少为一：2oo3 变为 1oo2。"
        "`for` 为须持续的时间，`max_age` 为读数的最大时效。",
        "truth": "真值表",
        "truth_text": "只有 GOOD 读数能证明任何事。超限的数值即使质量下降也会动作，"
        "除非质量为 TEST、INHIBITED、FAULT 或 NOT_PRESENT；其余非 GOOD 均为未知，"
        "未知绝不视为安全。",
    },
}

ON_UNKNOWN = {
    "en": {
        "fire": "It acts as if the hazard were there.",
        "hold": "It raises a fault alarm and holds the permits that depend on it.",
        "fault": "It raises a fault alarm.",
    },
    "zh": {
        "fire": "按危险存在处理，照常动作。",
        "hold": "发出故障报警，并暂停依赖它的作业票。",
        "fault": "发出故障报警。",
    },
}

TRIGGERS = {
    "en": {
        "alarm": "an alarm",
        "supervision": "a detector or a host that is lost or faulty",
        "reading": "readings beyond a limit, changing too fast, or stuck",
        "state": "a state",
        "detection": "what a camera finds; ON unless it says another word",
        "mqtt": "a mapped topic of the broker, by the device and entity of its map",
        "weather": "wind, heat, sight, rain, lightning, or a warning that stands",
        "webhook": "a call from a system outside, with a token of its own",
        "presence": "people who enter, leave, stay, are too many or too few",
        "permit": "a permit's step, status or time",
        "command": "the result of a command",
        "device": "a report of a device",
        "time": "a time of day, sunrise or sunset",
        "shift": "a time of day, or the start or end of the roster's shifts",
        "manual": "started by a person",
        "drill": "started as a drill",
    },
    "zh": {
        "alarm": "报警",
        "supervision": "探测器或主机失联、故障",
        "reading": "读数超限、变化过快或冻结",
        "state": "状态",
        "detection": "摄像头的识别结果；未写明时为 ON",
        "mqtt": "已映射的 MQTT 主题，用映射中的设备与实体名",
        "weather": "风、温度、能见度、雨、雷电，或有效的预警",
        "webhook": "外部系统凭自己的令牌发起的调用",
        "presence": "人员进入、离开、停留、过多或过少",
        "permit": "作业票的环节、状态或时间",
        "command": "控制指令的结果",
        "device": "设备上报的事件",
        "time": "时刻、日出或日落",
        "shift": "时刻，或排班表中班次的开始、结束",
        "manual": "由人启动",
        "drill": "作为演练启动",
    },
}

ACTIONS = {
    "en": {
        "command": "switches outputs and waits for their read-back",
        "permit.hold": "holds permits",
        "permit.request_release": "asks those who may release to look at it",
        "evacuation.start": "calls people out and begins the roll call",
        "notify": "tells people",
        "broadcast": "tells everybody, by voice outputs too",
        "alarm.raise": "raises an alarm of its own",
        "set_shelving": "shelves alarms that are not life safety",
        "task.create": "opens a task with an owner and a due time",
        "plan.start": "begins an emergency plan of the site",
        "record.clip": "asks the zone's recorders to keep the picture",
        "webhook": "tells a system outside by a named channel of the site",
        "wait": "waits; its deadline survives a restart",
        "choose": "chooses; unknown takes the first branch",
        "repeat": "repeats, at most as often as it says",
    },
    "zh": {
        "command": "操作输出并等待回读",
        "permit.hold": "暂停作业票",
        "permit.request_release": "请有权放行的人处理",
        "evacuation.start": "撤离并开始清点",
        "notify": "通知人员",
        "broadcast": "通知所有人，并用语音输出播报",
        "alarm.raise": "发出规则自己的报警",
        "set_shelving": "搁置非生命安全的报警",
        "task.create": "派发任务，指明负责人和期限",
        "plan.start": "启动场所的应急预案",
        "record.clip": "请该区域的录像设备保存画面",
        "webhook": "经场所指定的通道通知外部系统",
        "wait": "等待；时限在重启后继续",
        "choose": "选择；无法判定时走第一个分支",
        "repeat": "重复，次数有上限",
    },
}

WORDS = {
    "en": {
        "then": "if so",
        "else": "else",
        "do": "each time",
        "on_failure": "if that fails",
        "required": "needed",
        "true": "true",
        "unknown": "unknown",
        "false": "false",
    },
    "zh": {
        "then": "如果成立",
        "else": "否则",
        "do": "每次",
        "on_failure": "如果失败",
        "required": "必填",
        "true": "真",
        "unknown": "未知",
        "false": "假",
    },
}

NAMES_ZH = {
    "active_alarms": "与本次运行相符、仍在报警的数量",
    "unacknowledged": "区域内无人确认的报警数",
    "open_holds": "本次运行暂停且仍未放行的作业票数",
    "evacuating": "区域正在撤离时为真",
    "people_inside": "区域内人数；有人位置不明时为未知",
    "triggered": "规则的电平触发器对该对象仍成立时为真",
    "permits_in_force": "对象所在区域内有效的作业票数",
    "permit_open": "本次运行所涉作业票尚未结束时为真",
    "hour": "当地时刻（小时）：22.5 为二十二点半；时钟不可信时为未知",
    "weekday": "1 为星期一 … 7 为星期日；时钟不可信时为未知",
    "trigger_kind": "启动本次运行的报警或事件的种类",
    "trigger_priority": "其级别：1 最紧急 … 4 提示",
    "trigger_value": "其测量值（如有）",
}
