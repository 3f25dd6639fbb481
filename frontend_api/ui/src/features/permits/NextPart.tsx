import { IconClock, IconPlayerPlay, IconSignature } from '@tabler/icons-react';
import type { DueView } from '../../api/schema';
import { useSession } from '../../api/session';
import { useWords } from '../../i18n';
import { ActButton, useNames, type Part } from './parts';

/** Steps that the page takes with one tap; the others have a form of their own. */
const TAPS = ['permit.start', 'permit.take_briefing', 'guardian.take_over', 'permit.take_shift', 'permit.close'] as const;
type Tap = (typeof TAPS)[number];
const isTap = (verb: string): verb is Tap => (TAPS as readonly string[]).includes(verb);

/** What is due now: a big button for whoever may, a name for everybody else. */
export function NextPart(part: Part) {
  const { t } = useWords();
  const { file, permit } = part;
  const session = useSession();
  // A release has its place below the holds.
  const due = file.due.filter((one) => one.verb !== 'permit.release');
  const running = file.status === 'active' || file.status === 'held';
  const leads = permit.supervisor_id === session.person_id || session.roles.some((role) => ['issuer', 'safety_officer', 'owner'].includes(role));
  const guards = permit.guardian_id === session.person_id;
  if (!due.length && !running && !file.asked_guardian) return null;
  return (
    <section className="card next">
      <h2>{t('next.title')}</h2>
      {file.asked_guardian === session.person_id && (
        <ActButton verb="guardian.here" body={{ permit_id: file.id }} done={part.done} className="primary">
          {t('next.here')}
        </ActButton>
      )}
      {file.shift_notes && <p className="late">{t('shift.left', { notes: file.shift_notes })}</p>}
      {due.map((one) => (
        <Step key={`${one.verb}${one.slot}`} due={one} {...part} />
      ))}
      {running && (leads || guards) && (
        <ActButton verb="permit.confirm" body={{ permit_id: file.id }} version={file.version} done={part.done}>
          {t('next.confirm')}
        </ActButton>
      )}
      {running && leads && (
        <ActButton verb="permit.complete" body={{ permit_id: file.id }} version={file.version} done={part.done}>
          {t('next.complete')}
        </ActButton>
      )}
    </section>
  );
}

function Step({ due, file, done }: Part & { due: DueView }) {
  const { t, say } = useWords();
  const { list, roles } = useNames();
  const slot = file.law.slots.find((one) => one.id === due.slot);
  const what = due.verb === 'permit.sign' ? t('next.sign', { slot: say(slot?.names) || due.slot }) : t(`next.${due.verb}`);
  const who = due.people.length ? list(due.people) : roles(due.roles);
  if (due.mine && due.verb === 'permit.sign') {
    return (
      <>
        <ActButton verb="permit.sign" body={{ permit_id: file.id, slot: due.slot, content: file.content }} version={file.version} done={done} className="primary">
          <IconSignature size={26} aria-hidden />
          {what}
        </ActButton>
        {slot?.on_site && <p className="note">{t('next.on_site')}</p>}
      </>
    );
  }
  if (due.mine && isTap(due.verb)) {
    return (
      <ActButton verb={due.verb} body={{ permit_id: file.id }} version={VERSIONED.includes(due.verb) ? file.version : undefined} done={done} className="primary">
        <IconPlayerPlay size={26} aria-hidden />
        {what}
      </ActButton>
    );
  }
  return (
    <p className="waiting">
      <IconClock size={22} aria-hidden />
      <span>
        <b>{what}</b> {due.mine ? t('next.below') : t('next.by', { who })}
      </span>
    </p>
  );
}

const VERSIONED: string[] = ['permit.start', 'permit.close'];
