import type { ActBodies, PermitFile, Text } from '../../api/schema';

const AT_WORK = ['active', 'held', 'verifying'];

type Verb = 'permit.take_briefing' | 'person.verify' | 'guardian.take_over' | 'guardian.here' | 'permit.sign' | 'permit.confirm';
export interface Step {
  key: string;
  verb: Verb;
  body: ActBodies[Verb];
  version?: number;
  words: string;
}

type Place = { zone_id: string; guardian_id: string };
type Person = { id: string; roles: string[] };
type Words = { t: (key: string, params?: Record<string, unknown>) => string; say: (text: Text | undefined | null) => string };

/** What a person would sign now, had they a phone. */
export function stepsOf(file: PermitFile, permit: Place, person: Person, { t, say }: Words): Step[] {
  const permit_id = file.id;
  const unverified = file.open.some((one) => one.facts.some((fact) => fact.fact === 'people_verified' || fact.fact === 'verified_age_min'));
  const steps: Step[] = [];
  if (file.told.includes(person.id) && !file.briefed.includes(person.id)) {
    steps.push({ key: 'told', verb: 'permit.take_briefing', body: { permit_id }, words: t('next.permit.take_briefing') });
  }
  if (file.offered_to === person.id) {
    steps.push({ key: 'over', verb: 'guardian.take_over', body: { permit_id }, words: t('next.guardian.take_over') });
  }
  if (file.asked_guardian === person.id) {
    steps.push({ key: 'here', verb: 'guardian.here', body: { permit_id }, words: t('next.here') });
  }
  for (const due of file.due.filter((one) => one.verb === 'permit.sign')) {
    const named = due.people.includes(person.id);
    if (due.barred.includes(person.id)) continue;
    if (!named && (due.people.length > 0 || !due.roles.some((role) => person.roles.includes(role)))) continue;
    const slot = file.law.slots.find((one) => one.id === due.slot);
    steps.push({
      key: due.slot,
      verb: 'permit.sign',
      body: { permit_id, slot: due.slot, content: file.content },
      version: file.version,
      words: t('next.sign', { slot: say(slot?.names) || due.slot }),
    });
  }
  if (unverified || AT_WORK.includes(file.status)) {
    steps.push({ key: 'there', verb: 'person.verify', body: { zone_id: permit.zone_id }, words: t('guard.here') });
  }
  if (permit.guardian_id === person.id && file.status === 'active') {
    steps.push({ key: 'confirm', verb: 'permit.confirm', body: { permit_id }, version: file.version, words: t('next.confirm') });
  }
  return steps;
}
