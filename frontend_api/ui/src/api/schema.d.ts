// Written by `python -m frontend_api.typescript` from the gateway's own types.
// A test fails when it is not in step; do not edit it.

export interface AcceptTask {
  task_id: string;
  note?: string;
}

export interface AccountList {
  items: AccountView[];
}

export interface AccountPerson {
  evacuation_id: string;
  person_id: string;
  status?: string;
  count?: number;
  rescuer?: string;
}

export interface AccountView {
  person_id: string;
  name: string;
  enrolled: boolean;
  code_until_ms: number;
}

export interface AcknowledgeAlarm {
  alarm_id: string;
}

export interface AcknowledgeNotice {
  notice_id: string;
}

export interface AddToRoll {
  evacuation_id: string;
  person_id?: string;
  badge?: string;
  count?: number;
  zone_id?: string;
}

export interface AddWorker {
  permit_id: string;
  person_id: string;
  trade?: string;
}

export interface AddressBody {
  address: string;
}

export interface AlarmFigure {
  id: string;
  value: number | null;
  unit?: string;
  target?: string;
  ok?: boolean | null;
}

export interface AlarmGroupView {
  id: string;
  cause: Text;
  zone_id: string | null;
  priority: number;
  active: number;
  unacknowledged: number;
  raised_ms: number;
  always: string[];
  members: string[];
}

export interface AlarmGroupViewList {
  items: AlarmGroupView[];
  epoch: number;
  seq: number;
}

export interface AlarmMessage {
  type: "alarm";
  epoch: number;
  seq: number;
  now_ms: number;
  event: string;
  id: string;
  alarm: AlarmView | null;
}

export interface AlarmReport {
  from_ms: number;
  to_ms: number;
  days: number;
  operators: number;
  complete: boolean;
  unsynced: number;
  alarms: number;
  calls: number;
  figures: AlarmFigure[];
  priorities: Record<string, number>;
  verdicts: Record<string, number>;
  outcomes: Record<string, number>;
  sources: AlarmSource[];
  rules: AlarmSource[];
  devices: AlarmSource[];
  chattering: string[];
  stale: string[];
}

export interface AlarmSource {
  id: string;
  calls: number;
  share: number;
  judged?: number;
  nuisance?: number;
  nuisance_rate?: number | null;
  band?: [number, number];
}

export interface AlarmStateView {
  flood: FloodView;
  standing: number;
  stale: string[];
  chattering: string[];
  suppressed: string[];
  put_by: string[];
  unjudged: AlarmView[];
  more: number;
}

export interface AlarmStateViewList {
  items: AlarmStateView[];
  epoch: number;
  seq: number;
}

export interface AlarmView {
  id: string;
  title: Text;
  detail: Text;
  first: Text | null;
  source: string;
  source_name: Text;
  condition: string;
  kind: string;
  priority: number;
  zone_id: string | null;
  params: Record<string, number | boolean | string | null>;
  life_safety: boolean;
  active: boolean;
  acknowledged: boolean;
  acknowledged_by: string;
  latched: boolean;
  shelved: boolean;
  out_of_service: boolean;
  suppressed: string;
  put_by_id: string;
  put_reason: string;
  put_until_ms: number;
  verdict: string;
  judged_by: string;
  mark: string;
  raised_ms: number;
  returned_ms: number;
  count: number;
}

export interface AlarmViewList {
  items: AlarmView[];
  epoch: number;
  seq: number;
}

export interface AlarmsMessage {
  type: "alarms";
  epoch: number;
  seq: number;
  now_ms: number;
  alarms: AlarmView[];
  more?: number;
}

export interface AllowOxygenCheck {
  reason: string;
}

export interface AmendDevice {
  device_id: string;
  name?: string;
  facts?: Facts;
}

export interface AnalysePermit {
  permit_id: string;
  hazards: Hazard[];
  measures: Record<string, Mark>;
}

export interface AnswerSecond {
  proof: ProofBody;
}

export interface AnswerView {
  id: string;
  names: Text;
  value: number | boolean | string | null;
  bad: boolean;
}

export interface ApplyGas {
  zone_id: string;
  entity_id: string;
  gas?: string;
}

export interface ApplyLock {
  permit_id: string;
  point_id: string;
  lock_no: string;
  key_holder: string;
  personal?: boolean;
  box?: string;
}

export interface ApplyPermit {
  permit_id: string;
  workers: string[];
  guardians?: string[];
  trades?: Record<string, string>;
  linked?: string[];
  coordinator?: string;
  area?: Area | null;
  fields?: Record<string, number | boolean | string | (number | boolean | string | null)[] | null>;
  facts?: Record<string, number | boolean | string | null>;
}

export interface ApproveConfig {
  hash: string;
  note?: string;
}

export interface ApproveKey {
  key_id: string;
}

export interface Area {
  level: string;
  shape: Polygon | Disc | Line;
  z_low_m?: number;
  z_high_m?: number | null;
  height_m?: number | null;
  swept?: Sector | null;
  line?: string;
  also?: string[];
  protections?: string[];
}

export interface ArmConfig {
  hash: string;
}

export interface AskSecond {
  verb: string;
  proof: ProofBody;
}

export interface AttachmentList {
  items: AttachmentView[];
  keep: boolean;
}

export interface AttachmentView {
  slot: string;
  sha256: string;
  size: number;
  media: string;
  person_id: string;
  taken_ms: number;
  from_ms: number;
  to_ms: number;
  late: boolean;
  standing: string;
}

export interface AttackScore {
  kind: string;
  about: string;
  at_s: number;
  noticed_s?: number | null;
  by?: string;
}

export interface AttackView {
  kind: string;
  text: Text;
}

export interface AuthView {
  claimed: boolean;
  language: string;
  here: boolean;
}

export interface BadInputView {
  name: string;
  text: Text;
  count: number;
  frame: string;
  at_ms: number;
}

export interface BeginBody {
  purpose: "document" | "evidence" | "photo";
  size: number;
  media: string;
  permit_id?: string;
  person_id?: string;
}

export interface BeginCommission {
  zone_id: string;
}

export interface Blueprints {
  items: Card[];
  zones: Choice[];
  chains: Choice[];
  roles: string[];
  quantities: Choice[];
  permit_kinds: Choice[];
  problem: Text | null;
}

export interface BookLatePermit {
  blank: string;
  kind: string;
  zone_id: string;
  title: string;
  unit: string;
  supervisor_id: string;
  approver_id: string;
  from_ms: number;
  to_ms: number;
  workers: string[];
  guardians?: string[];
  company?: string;
  reason: string;
  scan?: string;
}

export interface BookPermit {
  kind: string;
  zone_id: string;
  title: string;
  unit: string;
  supervisor_id: string;
  from_ms: number;
  to_ms: number;
  company?: string;
  job?: string;
  emergency?: boolean;
}

export interface BookView {
  plans: PlanView[];
  checklists: ChecklistView[];
  rounds: RoundView[];
  unanswered: Text[];
}

export interface BriefPeople {
  permit_id: string;
  people: string[];
  topics?: string[];
  video?: string;
}

export interface CalibrateMeter {
  device_id: string;
  valid_to: string;
  certificate: string;
  by: string;
}

export interface CallHook {
  hook: string;
  params?: Record<string, number | boolean | string | null>;
}

export interface CallRule {
  rule: string;
  zone_id?: string;
  reason?: string;
  drill?: boolean;
}

export interface CancelPermit {
  permit_id: string;
  reason: string;
}

export interface Card {
  id: string;
  version: string;
  hash: string;
  zh: string;
  en: string;
  about_zh: string;
  about_en: string;
  life_safety: boolean;
  clauses: string[];
  signer: string;
  tests: number;
  inputs: InputCard[];
}

export interface CardBody {
  card: string;
  terminal: string;
}

export interface CardView {
  person_id: string;
  name: string;
  roles: string[];
  permits: string[];
}

export interface ChangeMessage {
  type: "change";
  epoch: number;
  seq: number;
  step: number;
  durable: number;
  now_ms: number;
  set?: Record<string, Record<string, unknown>>;
  gone?: Record<string, string[]>;
  events?: EventView[];
  live?: Record<string, [number | boolean | string | null, number, number, string]>;
  positions?: Record<string, number[]>;
}

export interface ChannelStats {
  channel: string;
  queued?: number;
  sent?: number;
  delivered?: number;
  seen?: number;
  acknowledged?: number;
  failed?: number;
  why?: Record<string, number>;
  sent_s?: number | null;
  answered_s?: number | null;
}

export interface CheckIn {
  evacuation_id: string;
}

export interface CheckPermit {
  permit_id: string;
}

export interface ChecklistView {
  id: string;
  names: Text;
  version: string;
  kind: string;
  roles: string[];
  signers: string[];
  items: ItemView[];
}

export interface Choice {
  id: string;
  names: Text;
}

export interface ChoiceView {
  id: string;
  names: Text;
}

export interface ClaimBody {
  code: string;
  person_id?: string;
  password?: string;
}

export interface ClaimReply {
  people?: PickView[];
  session?: SessionView | null;
}

export interface ClassifyIncident {
  alarm_id: string;
  outcome: "averted" | "damage" | "harm" | "near_miss" | "none";
  root?: string;
  note?: string;
}

export interface ClearEvacuation {
  evacuation_id: string;
}

export interface ClosePermit {
  permit_id: string;
}

export interface CloseRound {
  round_run: string;
}

export interface CompletePermit {
  permit_id: string;
}

export interface ConfirmPermit {
  permit_id: string;
}

export interface ConsentToFace {
  template: string;
}

export interface ContactList {
  items: ContactView[];
  groups: GroupView[];
  quiet: [number, number][];
  own_quiet: boolean;
  push_key: string;
  services: string[];
  modem: boolean;
  relay: boolean;
}

export interface ContactView {
  channel: string;
  service: string;
  hint: string;
  fixed: boolean;
}

export interface DeclareFacts {
  permit_id: string;
  facts: Record<string, number | boolean | string | null>;
}

export interface DecodingView {
  id: string;
  address: number;
  type: string;
  order: string;
  scale: number;
  raw: string;
  value: number;
  zero: number | null;
  span: number | null;
  matches: string[];
}

export interface DefinePoint {
  point_id: string;
  kind: "blind_plate" | "box" | "breaker" | "lock" | "tag" | "valve";
  equipment: string;
  place?: string;
  zone_id?: string;
  drawing?: string;
  pipe?: string;
}

export interface DelegateSlot {
  permit_id: string;
  slot: string;
  to_id: string;
}

export interface DeliverReport {
  plan_run: string;
  recipients: string[];
  sha256: string;
  draft: string;
}

export interface DestructionView {
  passes?: number;
  last_ms?: number;
  destroyed?: number;
  dropped?: number;
  waiting?: number;
  folders?: number;
  looked?: number;
  unnamed?: number;
  failed?: number;
  reason?: string;
}

export interface DeviceQualityView {
  device_id: string;
  from_ms: number;
  to_ms: number;
  points: number | null;
  covered: number | null;
  entities: EntityQualityView[];
  bad_input: BadInputView[];
  findings: FindingView[];
}

export interface DeviceView {
  id: string;
  uid: string;
  name: string;
  integration: string;
  manufacturer: string;
  model: string;
  zone_id: string | null;
  person_id: string | null;
  entities: EntityView[];
  serial?: string;
  configured?: boolean;
  proof?: string;
  facts?: Facts | null;
  wearable?: boolean;
  worn?: WornView | null;
}

export interface DeviceViewList {
  items: DeviceView[];
  epoch: number;
  seq: number;
}

export interface DiagnosticsView {
  host: string;
  at_ms: number;
  facts: Record<string, unknown>;
}

export interface Did {
  at_ms: number;
  what: string;
  target: string;
  detail?: string;
  by?: string;
}

export interface Disc {
  type: "disc";
  at: [number, number];
  radius_m?: number;
}

export interface DiscoveryView {
  items: ProposalView[];
  ignored: IgnoredView[];
  listeners: ListenerView[];
  scan: ScanView | null;
  shed: number;
  running: boolean;
  may_ignore: boolean;
  may_scan: boolean;
}

export interface DispatchTask {
  task_id: string;
  owner: string;
  due_s?: number;
  grade?: "general" | "major";
}

export interface DoStep {
  plan_run: string;
  step: string;
  note?: string;
}

export interface DoneReply {
  ok?: boolean;
  seq?: number;
  result?: Record<string, string | number | boolean | null>;
}

export interface DoneView {
  what: string;
  state: string;
  text: Text;
}

export interface Doubt {
  at_ms: number;
  kind: string;
  zone_id: string | null;
  detail?: string;
}

export interface DoubtCard {
  card_id: string;
  verdict: "expired" | "mismatch" | "unknown";
  source: string;
  evidence?: string;
}

export interface DraftBody {
  kind: string;
  rule: string;
  blueprint?: string;
  given?: Record<string, unknown> | null;
  mode?: string;
  zone_modes?: Record<string, string>;
  note?: string;
  instead?: string;
}

export interface DraftView {
  id: string;
  kind: string;
  rule: string;
  by: Text;
  made_ms: number;
  note: string;
  hash: string;
  base: string;
  standing: string;
  submitted_by: string;
  approved_by: string;
  answered: Text | null;
  answer: string;
  signed: boolean;
  two: boolean;
  blueprint: string;
  version: string;
  was_version: string;
  signer: string;
  life_safety: boolean;
  mode: string;
  given: Record<string, unknown>;
  problems: Text[];
  tests: frontend_api_rules_views_TestView[];
  diff: LineView[];
  looser: Text[];
  looks: LooksView[];
}

export interface DrillList {
  items: DrillReport[];
}

export interface DrillPlanView {
  id: string;
  names: Text;
  zones: string[];
  every_d: number | null;
  attacks: number;
  held_ms: number;
  due_ms: number;
}

export interface DrillPlanViewList {
  items: DrillPlanView[];
  epoch: number;
  seq: number;
}

export interface DrillReport {
  id: string;
  plan: string;
  zones: string[];
  by: string;
  started_ms: number;
  ended_ms?: number;
  why?: string;
  target_s?: number;
  target_share?: number;
  on_roll?: number;
  on_site?: number;
  accounted?: number;
  missed?: string[];
  late?: string[];
  to_50_s?: number | null;
  to_90_s?: number | null;
  to_100_s?: number | null;
  share_in_time?: number;
  participation?: number;
  on_site_share?: number;
  score?: number;
  parts?: Record<string, number>;
  passed?: boolean | null;
  people?: PersonScore[];
  attacks?: AttackScore[];
}

export interface DrillView {
  names: Text;
  by: string;
  until_ms: number;
  why: string;
  target_s: number;
  target_share: number;
  attacks: AttackView[];
}

export interface DropContact {
  channel: string;
  person_id?: string;
}

export interface DueView {
  verb: string;
  slot: string;
  roles: string[];
  people: string[];
  barred: string[];
  mine: boolean;
}

export interface EndCommission {
  zone_id: string;
}

export interface EndCompany {
  company_id: string;
}

export interface EndDrill {
  evacuation_id: string;
}

export interface EndOxygenCheck {
  reason: string;
}

export interface EndPlan {
  plan_run: string;
  reason?: string;
}

export interface EndPower {
  seconds: number;
}

export interface EndStopWork {
  order_id: string;
  reason: string;
}

export interface EndWeatherWarning {
  kind: "flood" | "typhoon";
}

export interface EnrolBody {
  code: string;
  password: string;
}

export interface EnrolDevice {
  integration: string;
  uid: string;
  zone_id?: string | null;
  person_id?: string | null;
  name?: string;
  critical?: boolean;
  facts?: Facts;
  possession?: Possession | null;
}

export interface EnrolKey {
  public: string;
  label: string;
  device?: "phone" | "terminal";
  zone_id?: string;
}

export interface EntityQualityView {
  entity_id: string;
  uid: string;
  name: string;
  points: number;
  samples: number;
  covered: number;
  good: number;
  gaps: number;
  longest_gap_s: number;
  interval_s: number;
  taken_out: Record<string, number>;
  drift: number | null;
  drifted: boolean;
  out: TakenOutView[];
}

export interface EntityView {
  id: string;
  name: string;
  kind: string;
  quantity: string;
  unit: string;
  max_age_s: number;
  critical: boolean;
  output: string;
  output_text: Text | null;
  limits: LimitView[];
  proof?: ProofView | null;
}

export interface EraseAttachments {
  permit_id: string;
}

export interface ErasePerson {
  person_id: string;
}

export interface EvacuationView {
  id: string;
  zones: string[];
  text: Text;
  first: Text | null;
  muster_points: string[];
  refused: Record<string, string>;
  wind: string;
  started_ms: number;
  late_ms: number;
  late_called: boolean;
  cleared_ms: number;
  cleared_by: string;
  mark: string;
  retested: string[];
  roll: RollView[];
  drill: DrillView | null;
}

export interface EvacuationViewList {
  items: EvacuationView[];
  epoch: number;
  seq: number;
}

export interface EventView {
  epoch: number;
  seq: number;
  id: string;
  type: string;
  level: string;
  text: Text;
  actor: string;
  wall_ms: number;
  synced: boolean;
  zone_id: string | null;
  subject: string;
  drill: boolean;
}

export interface ExplainRule {
  rule: string;
  zone_id?: string;
}

export interface FactView {
  fact: string;
  names: Text;
  value: number | boolean | string | null;
  unit: string;
}

export interface Facts {
  critical?: string[];
  max_age_s?: number | null;
  lost_s?: number | null;
  stuck_s?: number | null;
  outputs?: Record<string, Output>;
  evidence?: boolean;
  bump_every_h?: number | null;
  calibrate_every_d?: number | null;
  proof_every_h?: Record<string, number>;
  carried?: boolean | null;
  rack?: string;
}

export interface FailBump {
  device_id: string;
  gas: string;
}

export interface FailProof {
  entity_id: string;
  reason?: string;
}

export interface FieldErrorView {
  path: (string | number)[];
  text: Text;
  code: string;
}

export interface FieldView {
  id: string;
  type: string;
  names: Text;
  unit: string;
  choices: ChoiceView[];
  required: boolean;
  repeats: number;
  low: number | null;
  high: number | null;
  own: boolean;
}

export interface FillSheet {
  checklist: string;
  answers: Record<string, number | boolean | string | null>;
  zone_id?: string;
  about?: string;
  people?: string[];
  note?: string;
}

export interface FillStep {
  step: string;
  values: Record<string, unknown>;
}

export interface FindEnergy {
  permit_id: string;
  points: string[];
  note?: string;
}

export interface FindingView {
  code: string;
  entity: string;
  text: Text;
}

export interface FinishBody {
  sha256: string;
}

export interface FinishSetup {
  arm?: boolean;
  untested?: boolean;
  proof?: Possession | null;
}

export interface FixTask {
  task_id: string;
  note?: string;
}

export interface FloodView {
  on: boolean;
  since_ms: number;
  called_10min: number;
  operators: number;
  limit: number;
}

export interface FoundSafe {
  person_id?: string;
  device_id?: string;
}

export interface GasTestView {
  at_ms: number;
  person_id: string;
  samples: SampleView[];
}

export interface GasView {
  quantity: string;
  value: number | boolean | string | null;
  unit: string;
  quality: number;
}

export interface GroupView {
  channel: string;
  names: Text;
  hint: string;
}

export interface GuardianHere {
  permit_id: string;
}

export interface HandOverGuard {
  permit_id: string;
  to_id: string;
}

export interface Hazard {
  text: string;
  control: string;
  risk?: string;
}

export interface HazardView {
  text: string;
  control: string;
  risk: string;
}

export interface HoldPermit {
  permit_id: string;
  reason: string;
}

export interface HoldView {
  id: string;
  code: string;
  text: Text;
  source: string;
  source_name: Text;
  retest: string[];
  since_ms: number;
  tests: frontend_api_work_views_TestView[];
  demands: Text[];
}

export interface HubView {
  version: string;
  reachable: boolean;
  since_ms: number;
  started_ms: number;
  config_hash: string;
  refused_config_hash: string;
  journal: string;
  durable: number;
  processes: Record<string, string>;
  unmonitored: string[];
  counters: Record<string, number>;
  watching: WatcherView[];
  oxygen_check: boolean;
  oxygen_reason: string;
}

export interface IgnoreFinding {
  key: string;
  keys?: string[];
  name?: string;
}

export interface IgnoredView {
  id: string;
  name: string;
  by: Text;
  at_ms: number;
  here: boolean;
}

export interface IncidentAnswer {
  case: IncidentView;
  similar: SimilarView[];
}

export interface IncidentList {
  items: IncidentView[];
}

export interface IncidentView {
  id: string;
  title: Text;
  zone_id: string;
  start_ms: number;
  end_ms: number;
  alarms: number;
  verdict: string;
  outcome: string;
  proposed: string;
  root: string;
  note: string;
  by: string;
  relations: RelationView[];
}

export interface InputCard {
  id: string;
  zh: string;
  en: string;
  help_zh?: string;
  help_en?: string;
  section_zh?: string;
  section_en?: string;
  kind: string;
  multiple?: boolean;
  min?: number | null;
  max?: number | null;
  unit?: string;
  required?: boolean;
  default?: unknown;
}

export interface InsideView {
  person_id: string;
  since_ms: number;
  rescue: boolean;
  seen: boolean;
}

export interface InstanceView {
  id: string;
  integration: string;
  names: Text;
  state: string;
  trouble: string;
  trouble_text: Text | null;
  reauthenticate: boolean;
  own: boolean;
  devices: number;
  waiting: number;
}

export interface IntegrationCard {
  id: string;
  names: Text;
  version: string;
  iot_class: string;
  grade: string;
  safety_scale: string;
  ours: boolean;
  tests: boolean;
  proof: string[];
  kinds: string[];
  instances: string[];
}

export interface IntegrationsView {
  items: IntegrationCard[];
  instances: InstanceView[];
  drafts: DraftView[];
  may_setup: boolean;
  may_arm: boolean;
  problem: Text | null;
}

export interface InviteBody {
  person_id: string;
}

export interface InviteReply {
  person_id: string;
  code: string;
  until_ms: number;
}

export interface IsolationView {
  lines: PlannedView[];
  points: PointView[];
  keys_out: string[];
}

export interface IssuePermit {
  kind: string;
  zone_id: string;
  title: string;
  supervisor_id: string;
  workers: string[];
  guardian_id?: string;
  linked?: string[];
  valid_h?: number | null;
}

export interface ItemView {
  id: string;
  names: Text;
  type: string;
  required: boolean;
  grade: string;
  unit: string;
  least: number | null;
  most: number | null;
  clause: string;
}

export interface JudgeAlarm {
  alarm_id: string;
  verdict: "nuisance" | "true" | "unsure";
  note?: string;
}

export interface KeepAttachments {
  permit_id: string;
  keep: boolean;
  reason: string;
}

export interface KeepContact {
  channel: string;
  service: string;
  person_id?: string;
}

export interface KeptView {
  sha256: string;
}

export interface KeyList {
  hub: string;
  now_ms: number;
  pin: boolean;
  items: KeyView[];
}

export interface KeyView {
  id: string;
  person_id: string;
  label: string;
  device: string;
  zone_id: string;
  enrolled_ms: number;
  pending: boolean;
  revoked: string;
}

export interface KindCard {
  id: string;
  pack: string;
  names: Text;
  pack_names: Text;
  family: string;
  grade: string;
  rank: number;
  clause: string;
  test_names: Text | null;
  hours: number | null;
  book_ahead_h: number;
  guardian: boolean;
}

export interface KindCards {
  items: KindCard[];
}

export interface KindLaw {
  id: string;
  pack: string;
  names: Text;
  pack_names: Text;
  family: string;
  grade: string;
  rank: number;
  clause: string;
  test_names: Text | null;
  hours: number | null;
  book_ahead_h: number;
  guardian: boolean;
  trades: string[];
  gases: string[];
  places: string[];
  gas_age_min: number | null;
  entry_log: boolean;
  duties: Text[];
  fields: FieldView[];
  measures: MeasureView[];
  slots: SlotView[];
  questions: QuestionView[];
}

export interface KindView {
  id: string;
  names: Text;
  gases: string[];
  guardian: boolean;
  valid_h: number;
  retest_gases: string[];
  issuer_roles: string[];
}

export interface LevelView {
  id: string;
  names: Text;
  z_m: number;
}

export interface LimitView {
  condition: string;
  priority: number;
  unit: string;
  above: number | null;
  below: number | null;
}

export interface Line {
  type: "line";
  points: [number, number][];
  width_m?: number;
}

export interface LineView {
  sign: string;
  text: Text;
}

export interface ListenerView {
  id: string;
  state: string;
  detail: string;
}

export interface LockView {
  lock_no: string;
  permit_id: string;
  key_holder: string;
  applied_by: string;
  at_ms: number;
  personal: boolean;
  box: string;
  verified_by: string;
}

export interface LogIn {
  permit_id: string;
  person_id: string;
  tools?: string[];
  rescue?: boolean;
  ppe?: boolean;
}

export interface LogOut {
  permit_id: string;
  person_id: string;
  tools?: string[];
}

export interface LoginBody {
  account: string;
  password: string;
}

export interface LooksView {
  names: Text;
  zone: Text | null;
  devices: string[];
}

export interface LoosenConfig {
  hash: string;
}

export interface MakeProfile {
  decoding: string;
  profile: string;
  names: Text;
  quantity: string;
  unit: string;
  full_scale: number;
  status?: number | null;
  status_good?: number;
}

export interface Mark {
  involved: boolean;
  note?: string;
}

export interface MarkView {
  id: string;
  involved: boolean;
  note: string;
}

export interface MatchPoint {
  at: "span" | "zero";
  shown: number;
}

export interface MeasureView {
  id: string;
  names: Text;
  clause: string;
  free_text: boolean;
}

export interface MovePerson {
  person_id: string;
  zone_id: string;
}

export interface MusterView {
  id: string;
  names: Text;
  level: string;
  at: [number, number];
  zone_id: string | null;
}

export interface NameGases {
  permit_id: string;
  gases: string[];
}

export interface NoticeArrived {
  notice_id: string;
  channel: string;
}

export interface NoticeView {
  id: string;
  person_id: string;
  role: string;
  text: Text;
  about: string;
  level: number;
  channels: Record<string, string>;
  details: Record<string, string>;
  may_wait: boolean;
  acknowledged: boolean;
  escalated: boolean;
  queued_ms: number;
  mark: string;
}

export interface NoticeViewList {
  items: NoticeView[];
  epoch: number;
  seq: number;
}

export interface OfferShift {
  permit_id: string;
  to_id: string;
  guardian_id?: string;
  notes?: string;
}

export interface OpenEntryLog {
  permit_id: string;
}

export interface OpenView {
  name: string;
  names: Text;
  clause: string;
  why: string;
  truth: string;
  action: string;
  aq: string;
  facts: FactView[];
}

export interface Output {
  kind: OutputKind;
  ex_rated?: boolean;
  contact_zone?: string | null;
  outside_air?: boolean;
  fail_safe?: string;
  read_back?: boolean;
  phrases?: string[];
}

export type OutputKind = "barrier" | "breathing_air" | "exit" | "fan" | "hoist" | "lamp" | "lighting" | "power_cut" | "recorder" | "siren" | "strobe" | "voice";

export interface OutputView {
  entity_id: string;
  command_id: string;
  name: string;
  kind: string;
  zone_id: string | null;
  value: boolean | number | string;
  state: string;
  detail: string;
  why: string;
}

export interface OutputViewList {
  items: OutputView[];
  epoch: number;
  seq: number;
}

export interface Page {
  items: EventView[];
  epoch: number;
  seq: number;
  next_before?: number | null;
}

export interface PassBump {
  device_id: string;
  gas: string;
}

export interface PassProof {
  entity_id: string;
}

export interface PermitFile {
  id: string;
  status: string;
  version: number;
  content: string;
  phase: string;
  valid_left_s: number | null;
  law: KindLaw;
  due: DueView[];
  missing_measures: string[];
  missing_briefing: string[];
  questions: QuestionView[];
  open: OpenView[];
  unit: string;
  emergency: boolean;
  from_ms: number;
  to_ms: number;
  started_ms: number;
  guardians: string[];
  trades: Record<string, string>;
  fields: Record<string, (number | boolean | string | null)[]>;
  hazards: HazardView[];
  measures: MarkView[];
  analysed_by: string;
  said: SaidView[];
  signed: SignedView[];
  told: string[];
  briefed: string[];
  offered_to: string;
  shift_to: string;
  shift_notes: string;
  asked_guardian: string;
  replaces: string;
  replaced_by: string;
  reason: string;
  late: boolean;
  tests: GasTestView[];
  gases_named: string[];
  isolation: IsolationView;
  entry_open: boolean;
  inside: InsideView[];
  tools: string[];
}

export interface PermitView {
  id: string;
  kind: string;
  kind_names: Text;
  title: string;
  zone_id: string;
  status: string;
  issuer_id: string;
  supervisor_id: string;
  guardian_id: string;
  workers: string[];
  linked: string[];
  issued_ms: number;
  valid_until_ms: number;
  holds: HoldView[];
  tests: frontend_api_work_views_TestView[];
  version: number;
  outcome: string;
  closed_ms: number;
  legal: boolean;
  guardians: string[];
  unit: string;
}

export interface PermitViewList {
  items: PermitView[];
  epoch: number;
  seq: number;
}

export interface PersonScore {
  person_id: string;
  status?: string;
  count?: number;
  hidden?: boolean;
  late?: boolean;
  joined?: boolean;
  device_s?: number | null;
  accounted_s?: number | null;
  method?: string;
  by?: string;
  undone?: number;
  answered?: boolean;
}

export interface PersonView {
  id: string;
  name: string;
  company: string;
  roles: string[];
  zone_id: string | null;
  last_zone_id: string | null;
  source: string;
  since_ms: number;
}

export interface PersonViewList {
  items: PersonView[];
  epoch: number;
  seq: number;
}

export interface PhotoView {
  stage: string;
  sha256: string;
  by_id: string;
  taken_ms: number;
  erased?: boolean;
}

export interface PhotographTask {
  task_id: string;
  stage: "after" | "before";
  sha256: string;
  size: number;
  media: "image/jpeg" | "image/png";
  taken_ms: number;
}

export interface PickView {
  id: string;
  name: string;
  roles: string[];
}

export interface PinBody {
  pin: string;
}

export interface PlaceMode {
  zone_id: string;
  names: Text;
  mode: string;
  protected: boolean;
}

export interface PlanIsolation {
  permit_id: string;
  lines: PlanLine[];
}

export interface PlanLine {
  point_id: string;
  action?: "" | "insert" | "remove";
}

export interface PlanRunView {
  id: string;
  plan: string;
  names: Text;
  plan_version: string;
  zone_id: string | null;
  mark: string;
  about: string[];
  standing: boolean;
  started_ms: number;
  ended_ms: number;
  ended_by: string;
  reason: string;
  steps: PlanStepView[];
  report_to: Text | null;
  report_due_ms: number;
  report_late: boolean;
  reports: ReportedView[];
}

export interface PlanRunViewList {
  items: PlanRunView[];
  epoch: number;
  seq: number;
}

export interface PlanStepView {
  id: string;
  names: Text;
  roles: string[];
  escalate: string[];
  within_s: number;
  after: string[];
  clause: string;
  report: boolean;
  state: string;
  due_ms: number;
  level: number;
  by_id: string;
  reason: string;
  settled_ms: number;
}

export interface PlanView {
  id: string;
  names: Text;
  version: string;
  alarms: string[];
  zones: string[];
  steps: PlanStepView[];
  clauses: string[];
}

export interface PlannedView {
  point_id: string;
  action: string;
  tried: boolean;
}

export interface PointView {
  id: string;
  kind: string;
  equipment: string;
  place: string;
  zone_id: string;
  drawing: string;
  pipe: string;
  locks: LockView[];
  energy: boolean;
}

export interface Polygon {
  type: "polygon";
  points: [number, number][];
}

export interface Possession {
  kind: "button" | "code" | "key" | "pairing" | "wired";
  detail?: string;
}

export interface PowerStays {
}

export interface ProblemView {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  params: Record<string, string | number | boolean | null>;
  sentences: Text;
}

export interface ProfileMade {
  profile: string;
  evidence: boolean;
  bump_every_h: number | null;
}

export interface ProofBody {
  key: string;
  data: string;
  sig: string;
}

export interface ProofView {
  every_h: number | null;
  proven_ms: number;
  by_id: string;
  due_ms: number;
  failed_ms: number;
  why: string;
  answer_until_ms: number;
  answered: boolean;
}

export interface ProposalView {
  id: string;
  keys: string[];
  kind: string;
  name: string;
  address: string;
  port: number;
  integration: string;
  also: string[];
  why: Text[];
  facts: Record<string, string>;
  waiting: string;
  seen_ms: number;
}

export interface PushBody {
  endpoint: string;
  p256dh: string;
  auth: string;
}

export interface PushReply {
  channel: string;
}

export interface PutInService {
  alarm_id: string;
}

export interface QuantityView {
  id: string;
  names: Text;
  unit: string;
  gas_class: string;
  limits: LimitView[];
  accept_above: number | null;
  accept_below: number | null;
}

export interface QuestionView {
  fact: string;
  names: Text;
  type: string;
  unit: string;
  low: number | null;
  high: number | null;
  choices: ChoiceView[];
  content: boolean;
}

export interface ReadMap {
  place: string;
  unit: number;
  table?: "holding" | "input";
  first?: number;
  count?: number;
  baudrate?: number;
  parity?: "E" | "N" | "O";
}

export interface ReadPersonal {
  person_id: string;
  kind: string;
  name: string;
}

export interface ReadingView {
  entity_id: string;
  zone_id: string | null;
  quantity: string;
  unit: string;
  value: number | boolean | string | null;
  quality: number;
  reason: string;
  received_ms: number;
}

export interface ReadingViewList {
  items: ReadingView[];
  epoch: number;
  seq: number;
}

export interface Real {
  alarm_id: string;
  kind: string;
  zone_id: string | null;
  at_ms: number;
  verdict?: string;
}

export interface RecallFinding {
  key: string;
}

export interface RecipientView {
  id: string;
  names: Text;
}

export interface RecordAttachment {
  permit_id: string;
  slot: string;
  sha256: string;
  size: number;
  media: "application/pdf" | "image/jpeg" | "image/png" | "video/mp4" | "video/webm";
  taken_ms: number;
  from_ms?: number | null;
  to_ms?: number | null;
}

export interface RecordCard {
  person_id: string;
  trade: string;
  kind: "other" | "special_equipment" | "special_operation";
  valid_to: string;
  document: string;
  valid_from?: string;
  review_by?: string;
}

export interface RecordCompany {
  company_id: string;
  contractor?: boolean;
  valid_to?: string;
}

export interface RecordPerson {
  person_id: string;
  fields: string;
  company_id?: string;
  photo?: string;
}

export interface RecordTraining {
  person_id: string;
  topic: string;
  valid_to?: string;
  document?: string;
}

export interface RegisterView {
  address: number;
  raw: number;
}

export interface RejectConfig {
  hash: string;
  note?: string;
}

export interface RejectPermit {
  permit_id: string;
  reason: string;
}

export interface RejectTask {
  task_id: string;
  reason: string;
  due_s?: number;
}

export interface RelationView {
  family: string;
  value: string;
  text: Text;
}

export interface ReleaseOutput {
  entity_id: string;
  reason: string;
}

export interface ReleasePermit {
  permit_id: string;
  reason: string;
}

export interface RemoveDevice {
  device_id: string;
}

export interface RemoveLock {
  permit_id: string;
  point_id: string;
  lock_no: string;
  key_in_box: boolean;
  reason?: string;
}

export interface RemoveWorker {
  permit_id: string;
  person_id: string;
}

export interface ReplaceDevice {
  device_id: string;
  integration: string;
  uid: string;
  possession?: Possession | null;
}

export interface ReplaceNeeded {
  device_id: string;
  integration: string;
  uid: string;
  possession?: Possession | null;
}

export interface Report {
  rule: string;
  rule_hash: string;
  blueprint: string;
  on_unknown: string;
  from_ms: number;
  to_ms: number;
  entities?: number;
  stretches?: number;
  events?: number;
  lost?: number;
  runs?: Try[];
  runs_more?: number;
  skipped?: Record<string, number>;
  doubts?: Doubt[];
  silences?: Silence[];
  verdicts?: Record<string, number>;
  missed?: Real[];
  names?: Record<string, string>;
  took_s?: number;
  factor?: number;
}

export interface ReportAnswer {
  report: AlarmReport;
  names: Record<string, Text>;
}

export interface ReportChannelView {
  id: string;
  names: Text;
  state: string;
  detail: string;
}

export interface ReportTask {
  title: string;
  kind?: "hazard" | "near_miss" | "other";
  zone_id?: string;
  note?: string;
  grade?: "general" | "major";
  about?: string;
}

export interface ReportView {
  to: Text;
  draft: Text;
  recipients: RecipientView[];
}

export interface ReportedView {
  by_id: string;
  way: string;
  to: string;
  sha256: string;
  at_ms: number;
  draft: string;
  recipient: string;
  recipient_names: Text | null;
  channels: ReportChannelView[];
}

export interface ResetAlarm {
  alarm_id: string;
  reason: string;
}

export interface ResponseView {
  alarm_id: string;
  done: DoneView[];
}

export interface ResponseViewList {
  items: ResponseView[];
  epoch: number;
  seq: number;
}

export interface RestoreRuleMode {
  rule: string;
  zone_id?: string;
}

export interface RetestPermit {
  permit_id: string;
  typed?: TypedTest[];
}

export interface RetestZone {
  evacuation_id: string;
  zone_id: string;
  samples: core_response_roll_events_Sample[];
}

export interface ReturnDevice {
  device_id: string;
}

export interface ReturnWear {
  code: string;
}

export interface RevokeKey {
  key_id: string;
  why?: "by_hand" | "left" | "lost" | "replaced";
}

export interface RiskInputView {
  name: string;
  text: Text;
  points: number;
  level: number;
  weight: number;
  unknown: boolean;
}

export interface RiskView {
  id: string;
  index: number;
  band: string;
  unknown: boolean;
  inputs: RiskInputView[];
  version: string;
}

export interface RiskViewList {
  items: RiskView[];
  epoch: number;
  seq: number;
}

export interface RollView {
  person_id: string;
  names: Text;
  zone_id: string | null;
  certain: boolean;
  status: string;
  method: string;
  by: string;
  at_ms: number;
  late: boolean;
  count: number;
  seen: number;
  joined_ms: number;
  seen_ms: number;
  permits: WorkRef[];
  gas: GasView[];
  frame: string;
}

export interface RoundPointView {
  id: string;
  names: Text;
  zone_id: string;
  checklist: string;
  proven: boolean;
  by_id: string;
  at_ms: number;
  method: string;
  why: Text | null;
  in_order: boolean;
}

export interface RoundRunView {
  id: string;
  round: string;
  names: Text;
  opened_ms: number;
  due_ms: number;
  closed_ms: number;
  why: string;
  points: RoundPointView[];
  covered: number;
}

export interface RoundRunViewList {
  items: RoundRunView[];
  epoch: number;
  seq: number;
}

export interface RoundView {
  id: string;
  names: Text;
  roles: string[];
  ordered: boolean;
  every_s: number;
  points: RoundPointView[];
}

export interface RuleBook {
  hash: string;
  rules: RuleCard[];
  drafts: DraftView[];
  unprotected: Text[];
  may_draft: boolean;
  may_review: boolean;
  problem: Text | null;
}

export interface RuleCard {
  id: string;
  names: Text;
  life_safety: boolean;
  blueprint: string;
  version: string;
  hash: string;
  signer: string;
  own: boolean;
  mode: string;
  places: PlaceMode[];
  given: Record<string, unknown>;
  does: Text[];
  newer: string;
  earlier: string;
  open_runs: number;
  last_fired_ms: number | null;
}

export interface RuleView {
  id: string;
  names: Text;
  version: string;
  mode: string;
  life_safety: boolean;
  blueprint: string;
  open_runs: number;
}

export interface RuleViewList {
  items: RuleView[];
  epoch: number;
  seq: number;
}

export interface RuleWhy {
  rule: string;
  names: Text;
  at_ms: number;
  on_unknown: Text;
  triggers: WhyTrigger[];
  last_run: WhyLast | null;
  last_skip: WhyLast | null;
}

export type RunInput = [string, number | boolean | string | null, number, number, string];

export interface RunView {
  id: string;
  rule: string;
  names: Text;
  subject: string;
  trigger: string;
  mode: string;
  mark: string;
  params: Record<string, number | boolean | string | null>;
  started_ms: number;
  joined: number;
  steps: frontend_api_views_StepView[];
}

export interface RunViewList {
  items: RunView[];
  epoch: number;
  seq: number;
}

export interface SaidView {
  fact: string;
  names: Text;
  value: number | boolean | string | null;
  unit: string;
  person_id: string;
  at_ms: number;
}

export interface SampleView {
  gas: string;
  place: string;
  value: number;
  unit: string;
  verdict: string;
  evidence: boolean;
  typed: boolean;
  instrument: string;
  note: string;
}

export interface ScanPoint {
  round_run: string;
  point: string;
  label: string;
  method?: "" | "nfc" | "qr";
  code?: string;
  note?: string;
}

export interface ScanView {
  id: string;
  kind: string;
  target: string;
  state: string;
  step: string;
  done: number;
  total: number;
  found: number;
  why: Text | null;
  code: string;
  params: Record<string, number | boolean | string | null>;
  notes: Text[];
}

export interface SecondView {
  id: string;
  verb: string;
  by: string;
  roles: string[];
  body: Record<string, unknown>;
  expected_version: number | null;
  until_ms: number;
  state: "declined" | "done" | "expired" | "refused" | "waiting";
  second?: string;
  text?: Text;
}

export interface Sector {
  at: [number, number];
  radius_m: number;
  from_deg?: number;
  to_deg?: number;
}

export interface SeeNotice {
  notice_id: string;
}

export interface SendReport {
  plan_run: string;
  way: "fax" | "in_person" | "mail" | "message" | "phone" | "platform";
  to: string;
  sha256: string;
}

export interface SendTest {
  channel: string;
  person_id?: string;
}

export interface SeriesList {
  items: SeriesView[];
}

export interface SeriesView {
  entity_id: string;
  rows: ([number, number | null, number | null, number | boolean | string | null, number])[];
}

export interface ServiceDevice {
  device_id: string;
  reason: string;
  hours: number;
}

export interface ServiceView {
  id: string;
  name: Text;
  zone_id: string | null;
  person_id: string;
  reason: string;
  until_ms: number;
}

export interface ServiceViewList {
  items: ServiceView[];
  epoch: number;
  seq: number;
}

export interface SessionView {
  person_id: string;
  name: string;
  roles: string[];
  verbs: string[];
  language: string;
  expires_ms: number;
}

export interface SetQuiet {
  spans: [number, number][];
}

export interface SetRoles {
  person_id: string;
  roles: string[];
}

export interface SetRuleMode {
  rule: string;
  mode: string;
  zone_id?: string;
  reason: string;
}

export interface SetupView {
  id: string;
  kind: "add" | "authenticate" | "change" | "remove";
  integration: string;
  instance: string;
  names: Text;
  state: "armed" | "drafted" | "form" | "ready";
  steps: frontend_api_setup_views_StepView[];
  step: string;
  form: Record<string, unknown>;
  values: Record<string, unknown>;
  stored: ((string | number)[])[];
  errors: FieldErrorView[];
  finding: Record<string, string>;
  tested: "failed" | "none" | "ok" | "unproven";
  facts: Record<string, string>;
  draft: string;
  hash: string;
  refused: Text | null;
  refused_code: string;
  until_ms: number;
}

export interface SheetRowView {
  entity_id: string;
  device_id: string;
  names: Text;
  device: Text;
  quantity: Text;
  unit: string;
  under_test: boolean;
  gas: string;
  steps: StepTickView[];
}

export interface SheetView {
  id: string;
  checklist: string;
  names: Text;
  kind: string;
  by_id: string;
  filled_ms: number;
  zone_id: string | null;
  people: string[];
  answers: AnswerView[];
  note: string;
  owed: string[];
  signed: Record<string, string>;
  due_ms: number;
  late: boolean;
}

export interface SheetViewList {
  items: SheetView[];
  epoch: number;
  seq: number;
}

export interface ShelveAlarm {
  alarm_id: string;
  reason: string;
  minutes: number;
}

export interface ShowCode {
  zone_id: string;
}

export interface ShowConfig {
  rule?: string;
}

export interface ShowConflicts {
  permit_id: string;
}

export interface SignCommission {
  zone_id: string;
  sheet: string;
  note?: string;
}

export interface SignInVisitor {
  badge: string;
  count?: number;
  zone_id?: string;
  host_id?: string;
}

export interface SignOutVisitor {
  badge: string;
}

export interface SignPermit {
  permit_id: string;
  slot: string;
  content: string;
  for_id?: string;
}

export interface SignSheet {
  sheet: string;
}

export interface SignedView {
  slot: string;
  person_id: string;
  for_id: string;
  at_ms: number;
  place: string;
  method: string;
  late: boolean;
}

export interface Silence {
  entity_id: string;
  name: string;
  total_s: number;
  spans: [number, number][];
}

export interface SilenceSirens {
  zone_id: string;
}

export interface SimilarView {
  case: IncidentView;
  score: number;
  shared: RelationView[];
  differs: RelationView[];
}

export interface SiteView {
  id: string;
  names: Text;
  time_zone: string;
  language: string;
  evacuate_s: number;
  levels: LevelView[];
  zones: ZoneShape[];
  muster_points: MusterView[];
  quantities: QuantityView[];
  permit_kinds: KindView[];
}

export interface SkipStep {
  plan_run: string;
  step: string;
  reason: string;
}

export interface SlotView {
  id: string;
  names: Text;
  role: Text;
  roles: string[];
  phase: string;
  approves: boolean;
  on_site: boolean;
  delegable: boolean;
  lead: boolean;
}

export interface StartDrill {
  plan?: string;
  zones?: string[];
}

export interface StartEvacuation {
  zones: string[];
  reason?: string;
}

export interface StartPermit {
  permit_id: string;
}

export interface StartPlan {
  plan: string;
  zone_id?: string;
  drill?: boolean;
}

export interface StartProof {
  entity_id: string;
}

export interface StartRound {
  round: string;
}

export interface StartScan {
  kind: "modbus_serial" | "modbus_tcp" | "opcua";
  target: string;
  port?: number;
  units?: [number, number] | null;
  bauds?: number[];
  parities?: ("E" | "N" | "O")[];
}

export interface StartSetup {
  integration?: string;
  instance?: string;
  kind?: "add" | "authenticate" | "change" | "remove";
  finding?: Record<string, string>;
}

export interface StartTask {
  task_id: string;
}

export interface StatsList {
  items: ChannelStats[];
}

export interface StepTickView {
  step: string;
  names: Text;
  done: boolean;
  by_journal: boolean;
  by: Text | null;
  at_ms: number;
  evidence: string[];
  value: number | boolean | string | null;
  note: string;
}

export interface StopScan {
  scan_id: string;
}

export interface StopWork {
  zones?: string[];
  reason: string;
}

export interface SubmitConfig {
  hash: string;
  base?: string;
  note?: string;
}

export interface SupersedePermit {
  permit_id: string;
  reason: string;
  zone_id?: string;
  title?: string;
  from_ms?: number;
  to_ms?: number;
}

export interface TakeBriefing {
  permit_id: string;
}

export interface TakeOutOfService {
  alarm_id: string;
  reason: string;
  hours: number;
}

export interface TakeOverGuard {
  permit_id: string;
}

export interface TakeShift {
  permit_id: string;
}

export interface TakeWear {
  code: string;
  card?: string;
  person_id?: string;
}

export interface TakenOutView {
  ms: number;
  raw: number | boolean | string | null;
  filter: string;
  text: Text;
}

export interface TaskView {
  id: string;
  title: Text;
  kind: string;
  kind_name: Text;
  note: string;
  zone_id: string | null;
  state: string;
  grade: string;
  owner_id: string;
  roles: string[];
  by_id: string;
  about: string;
  mark: string;
  due_ms: number;
  level: number;
  version: number;
  created_ms: number;
  closed_ms: number;
  photos: PhotoView[];
  pictured: boolean;
  fixers: string[];
  checkers: string[];
  rejections: number;
  wanted: number;
}

export interface TaskViewList {
  items: TaskView[];
  epoch: number;
  seq: number;
}

export interface TestGas {
  permit_id: string;
  samples: core_permits_gas_tests_acts_Sample[];
  cause?: string;
}

export interface TestSetup {
  proof?: Possession | null;
}

export interface Text {
  zh: string;
  en: string;
}

export interface TextBody {
  text: string;
}

export interface TickLine {
  zone_id: string;
  entity_id: string;
  step: "alarm" | "gas" | "hold" | "message" | "reading" | "siren";
  note?: string;
}

export interface TokenBody {
  name: string;
  scopes: string[];
}

export interface TokenList {
  items: TokenView[];
}

export interface TokenReply {
  secret: string;
  token: TokenView;
}

export interface TokenView {
  id: string;
  name: string;
  person_id: string;
  scopes: string[];
  created_ms: number;
  expires_ms: number;
  used_ms: number;
}

export interface TrialBody {
  rule: string;
  from_ms: number;
  to_ms: number;
  inputs?: Record<string, unknown>;
}

export interface TrialList {
  items: TrialView[];
}

export interface TrialView {
  id: string;
  rule: string;
  from_ms: number;
  to_ms: number;
  by: string;
  state: string;
  done: number;
  error?: string;
  text?: Text | null;
  report?: Report | null;
}

export interface Try {
  run_id: string;
  at_ms: number;
  subject: string;
  zone_id: string | null;
  trigger: string;
  params: Record<string, number | boolean | string | null>;
  inputs: RunInput[];
  joined?: number;
  outcome?: string;
  ended_ms?: number;
  would?: Did[];
  alarms?: Real[];
  really?: Did[];
}

export interface TryZeroEnergy {
  permit_id: string;
  points: string[];
  method: string;
}

export interface Typed {
  value: number;
  unit: string;
  instrument: string;
  full_scale?: number | null;
  calibrated_to?: string;
  sampled_ms?: number;
}

export interface TypedTest {
  quantity: string;
  value: number;
  unit: string;
}

export interface UnknownMapView {
  id: string;
  place: string;
  unit: number;
  table: string;
  registers: RegisterView[];
  decodings: DecodingView[];
  zero: number | null;
  span: number | null;
  matched: boolean;
  until_ms: number;
}

export interface UnshelveAlarm {
  alarm_id: string;
}

export interface UntickLine {
  zone_id: string;
  entity_id: string;
  step: "alarm" | "gas" | "hold" | "message" | "reading" | "siren";
  note?: string;
}

export interface UploadBody {
  text: string;
  signature?: string;
}

export interface UploadView {
  id: string;
  purpose: "document" | "evidence" | "photo";
  owner_id: string;
  size: number;
  media: string;
  offset: number;
  until_ms: number;
  done?: string;
}

export interface Uploaded {
  card: Card;
}

export interface VerifyCard {
  card_id: string;
  source: string;
  evidence: string;
}

export interface VerifyLock {
  permit_id: string;
  point_id: string;
  lock_no: string;
}

export interface VerifyPerson {
  zone_id: string;
}

export interface VisitorView {
  id: string;
  count: number;
  zone_id: string;
  host_id: string;
  since_ms: number;
}

export interface VisitorViewList {
  items: VisitorView[];
  epoch: number;
  seq: number;
}

export interface WaitingDeviceView {
  id: string;
  integration: string;
  uid: string;
  name: string;
  manufacturer: string;
  model: string;
  serial: string;
  zone_id: string;
  seen_ms: number;
  proof: string[];
  keyed: boolean;
  places: string[];
  bump_every_h: number | null;
  replaces: string[];
  entities: WaitingEntityView[];
}

export interface WaitingDevices {
  items: WaitingDeviceView[];
  may_enrol: boolean;
}

export interface WaitingEntityView {
  uid: string;
  name: string;
  kind: string;
  quantity: Text;
  unit: string;
  output: string;
  max_age_s: number;
  critical: boolean;
}

export interface WarnOfWeather {
  kind: "flood" | "typhoon";
  level?: string;
  until_ms: number;
}

export interface WatcherView {
  person_id: string;
  since_ms: number;
  screens: number;
}

export interface WhyInput {
  names: Text;
  value: string;
  unit: string;
  quality: string;
  age_s: number | null;
}

export interface WhyLast {
  at_ms: number;
  subject: Text;
  what: Text;
  run: string;
}

export interface WhyPart {
  text: string;
  truth: string;
}

export interface WhySubject {
  names: Text;
  truth: string;
  mode: string;
  needs: Text[];
  limit: number | null;
  alarms: Text[];
  condition: string;
  parts: WhyPart[];
  inputs: WhyInput[];
  run: string;
  run_since_ms: number;
}

export interface WhyTrigger {
  names: Text;
  kind: string;
  missing: Text[];
  subjects: WhySubject[];
  more: number;
}

export interface WithdrawCard {
  card_id: string;
  code: "left" | "lost" | "replaced" | "revoked" | "wrong";
}

export interface WithdrawFace {
}

export interface WithdrawPermit {
  permit_id: string;
  reason: string;
}

export interface WorkRef {
  id: string;
  title: string;
  status: string;
}

export interface WornView {
  person_id: string;
  until_ms: number;
  ended: string;
}

export interface ZoneDevice {
  device_id: string;
  zone_id?: string | null;
}

export interface ZoneShape {
  id: string;
  names: Text;
  level: string;
  hazard: string;
  polygon: [number, number][];
}

export interface ZoneSheetView {
  zone_id: string;
  names: Text;
  state: string;
  sheet: string;
  begun_by: Text | null;
  begun_ms: number;
  signed_by: Text | null;
  signed_ms: number;
  why: Text | null;
  changed: Text[];
  changed_ms: number;
  done: number;
  total: number;
  rows: SheetRowView[];
  outputs: Text[];
}

export interface ZoneSheets {
  items: ZoneSheetView[];
  may_test: boolean;
  may_begin: boolean;
  may_sign: boolean;
}

export interface ZoneView {
  id: string;
  state: string;
  states: string[];
  priority: number;
  people: number;
  permits: number;
  held: number;
  silenced: boolean;
  protection?: string;
}

export interface ZoneViewList {
  items: ZoneView[];
  epoch: number;
  seq: number;
}

export interface core_permits_gas_tests_acts_Sample {
  gas: string;
  place: "inside" | "lower" | "middle" | "outside" | "upper";
  entity_id?: string;
  typed?: Typed | null;
  note?: string;
}

export interface core_response_roll_events_Sample {
  gas: string;
  value?: number | null;
  unit?: string;
  instrument?: string;
  entity_id?: string;
}

export interface frontend_api_rules_views_TestView {
  names: Text;
  problems: Text[];
}

export interface frontend_api_setup_views_StepView {
  id: string;
  names: Text;
}

export interface frontend_api_views_StepView {
  path: string;
  state: string;
  detail: string;
  refs: string[];
  at_ms: number;
}

export interface frontend_api_work_views_TestView {
  quantity: string;
  value: number | null;
  unit: string;
  quality: number;
  measured_ms: number;
  passed: boolean;
  typed: boolean;
}

export type Verb = "alarm.acknowledge" | "alarm.in_service" | "alarm.judge" | "alarm.out_of_service" | "alarm.reset" | "alarm.shelve" | "alarm.unshelve" | "attachment.erase" | "attachment.keep" | "attachment.read" | "attachment.record" | "card.doubt" | "card.record" | "card.verify" | "card.withdraw" | "commission.begin" | "commission.end" | "commission.gas" | "commission.sign" | "commission.tick" | "commission.untick" | "company.end" | "company.record" | "config.approve" | "config.arm" | "config.loosen" | "config.reject" | "config.show" | "config.submit" | "contact.drop" | "contact.keep" | "device.amend" | "device.enrol" | "device.in_service" | "device.out_of_service" | "device.remove" | "device.replace" | "device.replace_needed" | "device.zone" | "discovery.ignore" | "discovery.recall" | "discovery.scan" | "discovery.stop" | "drill.end" | "drill.start" | "entry.in" | "entry.open" | "entry.out" | "evacuation.clear" | "evacuation.retest" | "evacuation.start" | "face.consent" | "face.withdraw" | "gas.oxygen_check" | "gas.oxygen_check_end" | "guardian.hand_over" | "guardian.here" | "guardian.take_over" | "hub.power_back" | "hub.power_end" | "incident.classify" | "isolation.apply" | "isolation.energy_found" | "isolation.plan" | "isolation.point" | "isolation.remove" | "isolation.verify" | "isolation.zero_energy" | "key.approve" | "key.enrol" | "key.revoke" | "meter.bump_failed" | "meter.bump_passed" | "meter.calibrated" | "notice.acknowledge" | "notice.arrived" | "notice.quiet" | "notice.seen" | "notice.test" | "output.proof_failed" | "output.proof_passed" | "output.proof_test" | "output.release" | "permit.add_worker" | "permit.analyse" | "permit.apply" | "permit.book" | "permit.book_late" | "permit.brief" | "permit.cancel" | "permit.check" | "permit.close" | "permit.complete" | "permit.confirm" | "permit.conflicts" | "permit.declare" | "permit.delegate" | "permit.gas_test" | "permit.gases" | "permit.hold" | "permit.issue" | "permit.offer_shift" | "permit.reject" | "permit.release" | "permit.remove_worker" | "permit.retest" | "permit.sign" | "permit.start" | "permit.supersede" | "permit.take_briefing" | "permit.take_shift" | "permit.withdraw" | "person.account" | "person.erase" | "person.move" | "person.record" | "person.roles" | "person.safe" | "person.verify" | "place.code" | "plan.deliver" | "plan.done" | "plan.end" | "plan.report" | "plan.skip" | "plan.start" | "roll.add" | "roll.check_in" | "round.close" | "round.scan" | "round.start" | "rule.call" | "rule.explain" | "rule.hook" | "rule.mode" | "rule.restore" | "sheet.fill" | "sheet.sign" | "sirens.silence" | "site.stop_work" | "site.stop_work_end" | "site.weather_warning" | "site.weather_warning_end" | "task.accept" | "task.dispatch" | "task.fix" | "task.photo" | "task.reject" | "task.report" | "task.start" | "training.record" | "visitor.sign_in" | "visitor.sign_out" | "wear.return" | "wear.take";

export interface ActBodies {
  "alarm.acknowledge": AcknowledgeAlarm;
  "alarm.in_service": PutInService;
  "alarm.judge": JudgeAlarm;
  "alarm.out_of_service": TakeOutOfService;
  "alarm.reset": ResetAlarm;
  "alarm.shelve": ShelveAlarm;
  "alarm.unshelve": UnshelveAlarm;
  "attachment.erase": EraseAttachments;
  "attachment.keep": KeepAttachments;
  "attachment.read": ReadPersonal;
  "attachment.record": RecordAttachment;
  "card.doubt": DoubtCard;
  "card.record": RecordCard;
  "card.verify": VerifyCard;
  "card.withdraw": WithdrawCard;
  "commission.begin": BeginCommission;
  "commission.end": EndCommission;
  "commission.gas": ApplyGas;
  "commission.sign": SignCommission;
  "commission.tick": TickLine;
  "commission.untick": UntickLine;
  "company.end": EndCompany;
  "company.record": RecordCompany;
  "config.approve": ApproveConfig;
  "config.arm": ArmConfig;
  "config.loosen": LoosenConfig;
  "config.reject": RejectConfig;
  "config.show": ShowConfig;
  "config.submit": SubmitConfig;
  "contact.drop": DropContact;
  "contact.keep": KeepContact;
  "device.amend": AmendDevice;
  "device.enrol": EnrolDevice;
  "device.in_service": ReturnDevice;
  "device.out_of_service": ServiceDevice;
  "device.remove": RemoveDevice;
  "device.replace": ReplaceDevice;
  "device.replace_needed": ReplaceNeeded;
  "device.zone": ZoneDevice;
  "discovery.ignore": IgnoreFinding;
  "discovery.recall": RecallFinding;
  "discovery.scan": StartScan;
  "discovery.stop": StopScan;
  "drill.end": EndDrill;
  "drill.start": StartDrill;
  "entry.in": LogIn;
  "entry.open": OpenEntryLog;
  "entry.out": LogOut;
  "evacuation.clear": ClearEvacuation;
  "evacuation.retest": RetestZone;
  "evacuation.start": StartEvacuation;
  "face.consent": ConsentToFace;
  "face.withdraw": WithdrawFace;
  "gas.oxygen_check": AllowOxygenCheck;
  "gas.oxygen_check_end": EndOxygenCheck;
  "guardian.hand_over": HandOverGuard;
  "guardian.here": GuardianHere;
  "guardian.take_over": TakeOverGuard;
  "hub.power_back": PowerStays;
  "hub.power_end": EndPower;
  "incident.classify": ClassifyIncident;
  "isolation.apply": ApplyLock;
  "isolation.energy_found": FindEnergy;
  "isolation.plan": PlanIsolation;
  "isolation.point": DefinePoint;
  "isolation.remove": RemoveLock;
  "isolation.verify": VerifyLock;
  "isolation.zero_energy": TryZeroEnergy;
  "key.approve": ApproveKey;
  "key.enrol": EnrolKey;
  "key.revoke": RevokeKey;
  "meter.bump_failed": FailBump;
  "meter.bump_passed": PassBump;
  "meter.calibrated": CalibrateMeter;
  "notice.acknowledge": AcknowledgeNotice;
  "notice.arrived": NoticeArrived;
  "notice.quiet": SetQuiet;
  "notice.seen": SeeNotice;
  "notice.test": SendTest;
  "output.proof_failed": FailProof;
  "output.proof_passed": PassProof;
  "output.proof_test": StartProof;
  "output.release": ReleaseOutput;
  "permit.add_worker": AddWorker;
  "permit.analyse": AnalysePermit;
  "permit.apply": ApplyPermit;
  "permit.book": BookPermit;
  "permit.book_late": BookLatePermit;
  "permit.brief": BriefPeople;
  "permit.cancel": CancelPermit;
  "permit.check": CheckPermit;
  "permit.close": ClosePermit;
  "permit.complete": CompletePermit;
  "permit.confirm": ConfirmPermit;
  "permit.conflicts": ShowConflicts;
  "permit.declare": DeclareFacts;
  "permit.delegate": DelegateSlot;
  "permit.gas_test": TestGas;
  "permit.gases": NameGases;
  "permit.hold": HoldPermit;
  "permit.issue": IssuePermit;
  "permit.offer_shift": OfferShift;
  "permit.reject": RejectPermit;
  "permit.release": ReleasePermit;
  "permit.remove_worker": RemoveWorker;
  "permit.retest": RetestPermit;
  "permit.sign": SignPermit;
  "permit.start": StartPermit;
  "permit.supersede": SupersedePermit;
  "permit.take_briefing": TakeBriefing;
  "permit.take_shift": TakeShift;
  "permit.withdraw": WithdrawPermit;
  "person.account": AccountPerson;
  "person.erase": ErasePerson;
  "person.move": MovePerson;
  "person.record": RecordPerson;
  "person.roles": SetRoles;
  "person.safe": FoundSafe;
  "person.verify": VerifyPerson;
  "place.code": ShowCode;
  "plan.deliver": DeliverReport;
  "plan.done": DoStep;
  "plan.end": EndPlan;
  "plan.report": SendReport;
  "plan.skip": SkipStep;
  "plan.start": StartPlan;
  "roll.add": AddToRoll;
  "roll.check_in": CheckIn;
  "round.close": CloseRound;
  "round.scan": ScanPoint;
  "round.start": StartRound;
  "rule.call": CallRule;
  "rule.explain": ExplainRule;
  "rule.hook": CallHook;
  "rule.mode": SetRuleMode;
  "rule.restore": RestoreRuleMode;
  "sheet.fill": FillSheet;
  "sheet.sign": SignSheet;
  "sirens.silence": SilenceSirens;
  "site.stop_work": StopWork;
  "site.stop_work_end": EndStopWork;
  "site.weather_warning": WarnOfWeather;
  "site.weather_warning_end": EndWeatherWarning;
  "task.accept": AcceptTask;
  "task.dispatch": DispatchTask;
  "task.fix": FixTask;
  "task.photo": PhotographTask;
  "task.reject": RejectTask;
  "task.report": ReportTask;
  "task.start": StartTask;
  "training.record": RecordTraining;
  "visitor.sign_in": SignInVisitor;
  "visitor.sign_out": SignOutVisitor;
  "wear.return": ReturnWear;
  "wear.take": TakeWear;
}
