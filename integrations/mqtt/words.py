"""The words of Home Assistant's MQTT discovery, and what they mean to the hub.

Source: Home Assistant's MQTT integration documentation, 'MQTT discovery'.
"""

from core.api import EntityKind, OutputKind

ABBREVIATIONS = {
    "act_t": "action_topic",
    "atype": "automation_type",
    "avty": "availability",
    "avty_mode": "availability_mode",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "bri_cmd_t": "brightness_command_topic",
    "bri_stat_t": "brightness_state_topic",
    "cmd_t": "command_topic",
    "cmd_tpl": "command_template",
    "cmps": "components",
    "def_ent_id": "default_entity_id",
    "dev": "device",
    "dev_cla": "device_class",
    "e": "encoding",
    "en": "enabled_by_default",
    "ent_cat": "entity_category",
    "ent_pic": "entity_picture",
    "evt_typ": "event_types",
    "exp_aft": "expire_after",
    "frc_upd": "force_update",
    "ic": "icon",
    "json_attr": "json_attributes",
    "json_attr_t": "json_attributes_topic",
    "json_attr_tpl": "json_attributes_template",
    "l_ver_t": "latest_version_topic",
    "lrst_t": "last_reset_topic",
    "lrst_val_tpl": "last_reset_value_template",
    "max_len": "max",
    "o": "origin",
    "obj_id": "object_id",
    "off_dly": "off_delay",
    "on_cmd_type": "on_command_type",
    "ops": "options",
    "opt": "optimistic",
    "p": "platform",
    "pl": "payload",
    "pl_avail": "payload_available",
    "pl_home": "payload_home",
    "pl_not_avail": "payload_not_available",
    "pl_not_home": "payload_not_home",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "pl_prs": "payload_press",
    "pl_rst": "payload_reset",
    "ret": "retain",
    "schm": "schema",
    "src_type": "source_type",
    "stat_cla": "state_class",
    "stat_off": "state_off",
    "stat_on": "state_on",
    "stat_t": "state_topic",
    "stat_tpl": "state_template",
    "stat_val_tpl": "state_value_template",
    "stype": "subtype",
    "sug_dsp_prc": "suggested_display_precision",
    "sup_clrm": "supported_color_modes",
    "sup_dur": "support_duration",
    "sup_off": "supported_turn_off",
    "sup_vol": "support_volume_set",
    "t": "topic",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
DEVICE_ABBREVIATIONS = {
    "cns": "connections",
    "cu": "configuration_url",
    "hw": "hw_version",
    "ids": "identifiers",
    "mdl": "model",
    "mdl_id": "model_id",
    "mf": "manufacturer",
    "name": "name",
    "sa": "suggested_area",
    "sn": "serial_number",
    "sw": "sw_version",
}
ORIGIN_ABBREVIATIONS = {"sw": "sw_version", "url": "support_url"}

#: Fields that change nothing in what the hub does: read, and not counted.
DECORATION = frozenset(
    {
        "brightness_command_topic",
        "brightness_state_topic",
        "configuration_url",
        "default_entity_id",
        "enabled_by_default",
        "entity_category",
        "entity_picture",
        "force_update",
        "icon",
        "json_attributes",
        "json_attributes_template",
        "json_attributes_topic",
        "name",
        "object_id",
        "options",
        "origin",
        "platform",
        "state_class",
        "suggested_display_precision",
        "support_duration",
        "support_volume_set",
        "supported_color_modes",
        "available_tones",
        "source_type",
    }
)
#: Fields that the hub reads and obeys.
OBEYED = frozenset(
    {
        "automation_type",
        "availability",
        "availability_mode",
        "availability_template",
        "availability_topic",
        "command_template",
        "command_topic",
        "components",
        "device",
        "device_class",
        "event_types",
        "expire_after",
        "json_attributes_topic",
        "off_delay",
        "optimistic",
        "payload",
        "payload_available",
        "payload_home",
        "payload_not_available",
        "payload_not_home",
        "payload_off",
        "payload_on",
        "safehold",
        "schema",
        "state_off",
        "state_on",
        "state_topic",
        "state_value_template",
        "subtype",
        "topic",
        "type",
        "unique_id",
        "unit_of_measurement",
        "value_template",
    }
)
#: QoS and retain of a device's own wish: the hub has a rule of its own for both.
OVERRULED = frozenset({"encoding", "qos", "retain"})

COMPONENTS: dict[str, EntityKind] = {
    "sensor": EntityKind.SENSOR,
    "binary_sensor": EntityKind.BINARY,
    "switch": EntityKind.OUTPUT,
    "siren": EntityKind.OUTPUT,
    "light": EntityKind.OUTPUT,
    "fan": EntityKind.OUTPUT,
    "device_tracker": EntityKind.LOCATION,
    "event": EntityKind.EVENT,
    "device_automation": EntityKind.EVENT,
}
FIXED_OUTPUTS = {
    "siren": OutputKind.SIREN,
    "light": OutputKind.LAMP,
    "fan": OutputKind.FAN,
}
#: A switch says in its name, if at all, what it moves; nothing is guessed.
OUTPUT_WORDS = {
    "siren": OutputKind.SIREN,
    "horn": OutputKind.SIREN,
    "sounder": OutputKind.SIREN,
    "strobe": OutputKind.STROBE,
    "beacon": OutputKind.STROBE,
    "fan": OutputKind.FAN,
    "ventilator": OutputKind.FAN,
    "barrier": OutputKind.BARRIER,
    "gate": OutputKind.BARRIER,
    "lamp": OutputKind.LAMP,
    "light": OutputKind.LAMP,
    "power_cut": OutputKind.POWER_CUT,
    "trip": OutputKind.POWER_CUT,
}

GASES = frozenset(
    {"h2s", "co", "o2", "lel", "ch4", "co2", "nh3", "so2", "no2", "no", "cl2"}
    | {"hcn", "ph3", "hcl", "hf", "o3", "voc", "h2", "c3h8", "c2h2", "lpg"}
)
GAS_CLASSES = {
    "carbon_monoxide": "co",
    "carbon_dioxide": "co2",
    "nitrogen_dioxide": "no2",
    "nitrogen_monoxide": "no",
    "ozone": "o3",
    "sulphur_dioxide": "so2",
    "volatile_organic_compounds": "voc",
    "volatile_organic_compounds_parts": "voc",
}
GAS_WORDS = {
    "oxygen": "o2",
    "methane": "ch4",
    "ammonia": "nh3",
    "chlorine": "cl2",
    "phosphine": "ph3",
    "ozone": "o3",
    "hydrogen": "h2",
    "propane": "c3h8",
    "ex": "lel",
}
QUANTITY_CLASSES = {
    "wind_speed": "wind",
    "signal_strength": "signal",
    "atmospheric_pressure": "pressure",
}
