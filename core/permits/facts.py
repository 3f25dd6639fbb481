"""The facts that permit rules may speak of: one list for packs and the runtime.

A fact is supplied per permit by the life cycle; what it cannot supply is UNKNOWN,
and so is a value of another type, outside its range or not among its choices. Its
meaning stands in ``core/texts/packs.json`` as ``fact.<name>``.
"""

from typing import Final, Literal

import msgspec

from core.api.reading import Value

_HUGE: Final = 1e300

FactType = Literal["bool", "number", "text"]


class Fact(msgspec.Struct, frozen=True):
    """Declare one fact: name, type, unit and what values are possible at all."""

    name: str
    type: FactType
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


#: Things that either hold or do not; each is good news or bad news by its name.
_BOOLS: Final = """
approvals_in_order approver_on_site approval_overdue permit_issued signatures_complete
team_lead_checked briefing_done analysis_done measures_confirmed people_verified
workers_matched added_workers_briefed workers_fit ppe_ok card_required card_present
card_valid card_matches_person card_trade_ok guardian_trained guardian_marked
guardian_present guardian_sole_duty guardian_outside guardian_changed
guardian_handover_recorded scope_unchanged conditions_unchanged conditions_reconfirmed
site_normal site_restored acceptance_checked permits_linked linked_issued
coordinator_named escape_routes_clear emergency_gear_ready communication_ready
isolation_needed isolation_in_force zero_energy_tested gas_tested gas_acceptable
gas_places_complete gas_tested_today gas_retested continuous_monitor_online
meter_calibrated in_ex_area in_toxic_area corrosive_medium is_holiday is_rest_day
is_night is_special_period outdoors fog heavy_rain heavy_snow lightning typhoon_warning
flood_warning stop_work_order plant_stopped_cleaned downgrade_approved grade_raised
fire_gear_ready plan_approved plant_stable no_decomposing_material
equipment_positive_pressure on_oxygen_equipment pressurised_hot_work electric_welding
gas_cutting welder_as_fire_point bottles_upright dyke_draining train_passing
no_residual_fire video_recording camera_ex_rated fire_watch_needed fire_watch_present
combustibles_shielded entry_log_open ventilated pure_oxygen_used painting_inside
hot_work_inside rescue_entry rescue_ppe lamps_ex_rated wet_or_narrow flammable_residue
rescue_ready retrieval_ready hazards_eliminated continuous_not_feasible
oxygen_first_order entrants_informed entry_supervisor_verified pipe_depressurised
plate_matches_drawing harness_ok access_safe light_roof roof_boards_set lift_plan_needed
lift_plan_approved gear_inspected signal_clear load_secured near_power_line
power_line_safe rcd_each_tool earthing_ok upstream_locked extension_approved
cable_protected equipment_ex_rated utilities_confirmed hand_digging shoring_ok
ladder_ready traffic_plan_ready fire_lane_open road_signs_set road_lamps_lit
countersigned special_plan_approved expert_review_needed expert_review_done
notice_posted monitoring_needed monitoring_normal acceptance_signed company_registered
contract_valid insurance_valid training_valid agreement_signed lock_register_complete
keys_in_box checklist_complete handover_both_signed handover_items_read drill_announced
alarm_channels_live drill_plan_approved loose_items_secured crane_anchored
people_sheltered pumps_ready drains_clear installer_licensed wind_watch_set
equipment_isolated scaffold_tagged demolition_sequence_approved lighting_ok
rest_limits_kept
""".split()

#: name, unit, lowest and highest value that can be true.
_NUMBERS: Final[tuple[tuple[str, str, float | None, float | None], ...]] = (
    ("valid_left_min", "min", None, None),
    ("break_min", "min", 0, None),
    ("work_day", "", 1, None),
    ("confirm_age_min", "min", 0, None),
    ("verified_age_min", "min", 0, None),
    ("approvals_missing", "", 0, None),
    ("works_on_job", "", 1, None),
    ("conflicts", "", 0, None),
    ("isolation_points_open", "", 0, None),
    ("guardian_count", "", 0, None),
    ("guardians_needed", "", 0, None),
    ("wash_water_m", "m", 0, None),
    ("gas_age_min", "min", 0, None),
    ("gas_record_age_min", "min", 0, None),
    ("oxygen_vol", "%vol", 0, 100),
    ("flammable_lfl", "%LEL", 0, None),
    ("toxic_limit_share", "%", 0, None),
    ("wind_ms", "m/s", 0, 120),
    ("temperature_c", "°C", -90, 90),
    ("visibility_m", "m", 0, None),
    ("video_gap_s", "s", 0, None),
    ("welder_distance_m", "m", 0, None),
    ("bottle_gap_m", "m", 0, None),
    ("bottle_fire_m", "m", 0, None),
    ("fire_watch_min", "min", 0, None),
    ("combustibles_m", "m", 0, None),
    ("count_inside", "", 0, None),
    ("tools_inside", "", 0, None),
    ("lamp_volts", "V", 0, None),
    ("plates_on_permit", "", 0, None),
    ("plate_actions", "", 0, None),
    ("plates_open_on_pipe", "", 0, None),
    ("height_m", "m", 0, None),
    ("height_factors", "", 0, 9),
    ("load_t", "t", 0, None),
    ("load_share", "%", 0, None),
    ("cranes_used", "", 1, None),
    ("people_under_load", "", 0, None),
    ("dig_depth_m", "m", 0, None),
    ("people_in_swing", "", 0, None),
    ("spoil_edge_m", "m", 0, None),
    ("spoil_height_m", "m", 0, None),
    ("diggers_apart_m", "m", 0, None),
    ("pipe_distance_m", "m", 0, None),
    ("defects_open", "", 0, None),
    ("muster_share", "%", 0, 100),
    ("muster_min", "min", 0, None),
    ("linked_left_min", "min", None, None),
)

_TEXTS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("fire_area", ("running_plant", "fire_explosion", "other")),
    ("height_kind", ("plain", "near_hazard", "extreme")),
)


#: What the work *is*: part of what is signed. Another answer means another permit.
#: All else that people state tells how things stand, and may change by the hour.
CONTENT: Final = frozenset(
    """
fire_area height_kind height_m height_factors load_t load_share cranes_used
lift_plan_needed in_ex_area in_toxic_area corrosive_medium outdoors on_oxygen_equipment
pressurised_hot_work electric_welding gas_cutting isolation_needed dig_depth_m
pipe_distance_m hot_work_inside painting_inside plant_stopped_cleaned downgrade_approved
wet_or_narrow lamp_volts flammable_residue near_power_line light_roof
expert_review_needed monitoring_needed continuous_not_feasible fire_watch_needed
extension_approved guardians_needed
""".split()
)

#: What was said of these before work last stopped says nothing of now.
AFTER_STOP: Final = frozenset(
    {"conditions_reconfirmed", "site_restored", "no_residual_fire", "fire_watch_min"}
)


def _declare() -> dict[str, Fact]:
    facts = [Fact(name, "bool") for name in _BOOLS]
    facts += [Fact(name, "number", unit, a, b) for name, unit, a, b in _NUMBERS]
    facts += [Fact(name, "text", choices=choices) for name, choices in _TEXTS]
    declared = {fact.name: fact for fact in facts}
    if len(declared) != len(facts):
        raise ValueError("a fact is declared twice")
    return declared


#: Every fact by its name.
FACTS: Final[dict[str, Fact]] = _declare()


def possible(fact: Fact, value: Value) -> bool:
    """Say whether a value can be true; None and NaN never are."""
    if fact.type == "bool":
        return isinstance(value, bool)
    if fact.type == "text":
        return isinstance(value, str) and value in fact.choices
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # Compared, not converted: a whole number may be too large for a float.
    if not -_HUGE < value < _HUGE:
        return False
    return (fact.low is None or value >= fact.low) and (
        fact.high is None or value <= fact.high
    )
