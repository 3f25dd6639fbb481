import { Select, Textarea } from '@mantine/core';
import { IconCheck, IconPlayerPlay, IconUserCheck, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useSection, useSite } from '../../api/hooks';
import type { TaskView } from '../../api/schema';
import { useMay, useSession } from '../../api/session';
import { moment } from '../../app/format';
import { Empty, Mark, Refused } from '../../components/Bits';
import { ReasonDialog } from '../../components/ReasonDialog';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { ActButton, useNames, useZone } from '../permits/parts';
import { PhotoButton } from './PhotoButton';
import { Picks } from './Picks';
import { Due, Facts, Grade, Stages, Tabs, useMine } from './shared';

const NOTHING = () => undefined;

export function TaskPage({ id }: { id: string }) {
  const { t } = useWords();
  const task = useSection('tasks')[id];
  if (!task) {
    return (
      <div className="page work">
        <Tabs />
        <Empty icon={<IconX size={32} aria-hidden />}>{t('task.gone')}</Empty>
      </div>
    );
  }
  return <Whole task={task} />;
}

function Whole({ task }: { task: TaskView }) {
  const { t, say } = useWords();
  const { name, roles, list } = useNames();
  const zone = useZone(task.zone_id ?? '');
  const site = useSite();
  return (
    <div className="page work">
      <div className="work-head">
        <p className="note">
          {say(task.kind_name)}
          {zone && ` · ${zone}`}
        </p>
        <h2>
          {say(task.title)} <Mark mark={task.mark} />
        </h2>
        <p className="task-foot">
          <Grade grade={task.grade} />
          {task.state !== 'closed' && <Due ms={task.due_ms} />}
        </p>
      </div>
      <Stages task={task} />
      {task.state === 'rejected' && <p className="refused">{t('task.is_rejected')}</p>}
      <Next task={task} />
      <Photos task={task} />
      <section className="card">
        {task.note && <p className="lead">{task.note}</p>}
        <Facts
          rows={[
            [t('task.owner'), task.owner_id ? name(task.owner_id) : roles(task.roles)],
            [t('task.by'), task.by_id ? name(task.by_id) : t('task.by_hub')],
            [t('task.since'), moment(task.created_ms, site?.time_zone ?? 'UTC')],
            [t('task.overdue_times'), task.level ? String(task.level) : ''],
            [t('task.rejections'), task.rejections ? String(task.rejections) : ''],
            [t('task.checkers'), list(task.checkers)],
            [t('task.closed_at'), task.closed_ms ? moment(task.closed_ms, site?.time_zone ?? 'UTC') : ''],
          ]}
        />
      </section>
    </div>
  );
}

/** What this person can do now: one big button each, nothing else. */
function Next({ task }: { task: TaskView }) {
  const { t } = useWords();
  const may = useMay();
  const me = useSession().person_id;
  const mine = useMine()(task);
  const lead = may('task.dispatch');
  if (task.state === 'closed') return null;
  if (task.state === 'fixed') {
    if (!may('task.accept')) return <p className="note card">{t('task.waits')}</p>;
    if (task.fixers.includes(me) || task.checkers.includes(me)) return <p className="note card">{t('task.other_person')}</p>;
    return <Recheck task={task} />;
  }
  return (
    <>
      {(mine || lead) && <Fix task={task} />}
      {lead && <Dispatch task={task} />}
    </>
  );
}

function Fix({ task }: { task: TaskView }) {
  const { t } = useWords();
  const [note, setNote] = useState('');
  if (task.state !== 'fixing') {
    return (
      <ActButton verb="task.start" body={{ task_id: task.id }} version={task.version} done={NOTHING} className="primary">
        <IconPlayerPlay size={24} aria-hidden />
        {t('task.start')}
      </ActButton>
    );
  }
  return (
    <section className="card form">
      <h3 className="part-title">{t('task.fix')}</h3>
      {task.pictured && <PhotoButton taskId={task.id} stage="after" />}
      <Textarea label={t('task.note')} value={note} rows={2} maxLength={500} onChange={(event) => setNote(event.currentTarget.value)} />
      <ActButton verb="task.fix" body={{ task_id: task.id, note }} version={task.version} done={NOTHING} className="primary">
        <IconCheck size={24} aria-hidden />
        {t('task.fixed')}
      </ActButton>
    </section>
  );
}

const SPANS = [
  ['14400', 'span.4h'],
  ['86400', 'span.1d'],
  ['259200', 'span.3d'],
  ['604800', 'span.7d'],
] as const;

function Dispatch({ task }: { task: TaskView }) {
  const { t } = useWords();
  const { people } = useNames();
  const [owner, setOwner] = useState<string | null>(null);
  const [within, setWithin] = useState<(typeof SPANS)[number][0]>('86400');
  const [grade, setGrade] = useState<'general' | 'major'>(task.grade === 'major' ? 'major' : 'general');
  const grades = task.grade === 'major' ? (['major'] as const) : (['general', 'major'] as const);
  return (
    <section className="card form">
      <h3 className="part-title">{t(task.owner_id ? 'task.dispatch_again' : 'task.dispatch')}</h3>
      <Select label={t('task.owner')} data={people.map((one) => ({ value: one.id, label: one.name }))} value={owner} onChange={setOwner} searchable />
      <Picks label={t('task.within')} options={SPANS.map(([value, key]) => [value, t(key)])} value={within} pick={setWithin} />
      <Picks label={t('task.grade')} options={grades.map((one) => [one, t(`grade.${one}`)])} value={grade} pick={setGrade} />
      <ActButton
        verb="task.dispatch"
        body={{ task_id: task.id, owner: owner ?? '', due_s: Number(within), grade }}
        version={task.version}
        disabled={!owner}
        done={NOTHING}
        className={task.owner_id ? '' : 'primary'}
      >
        <IconUserCheck size={24} aria-hidden />
        {t('task.dispatch')}
      </ActButton>
    </section>
  );
}

function Recheck({ task }: { task: TaskView }) {
  const { t } = useWords();
  const [rejecting, setRejecting] = useState(false);
  const { ask, busy, problem, clear } = useAct();
  return (
    <section className="card form">
      <h3 className="part-title">{t('task.recheck')}</h3>
      <p className="note">{t('task.recheck_note', { count: task.wanted })}</p>
      <ActButton verb="task.accept" body={{ task_id: task.id }} version={task.version} done={NOTHING} className="primary">
        <IconCheck size={24} aria-hidden />
        {t('task.accept')}
      </ActButton>
      <button
        type="button"
        className="btn warn huge"
        onClick={() => {
          clear();
          setRejecting(true);
        }}
      >
        <IconX size={24} aria-hidden />
        {t('task.reject')}
      </button>
      {!rejecting && <Refused problem={problem} />}
      <ReasonDialog
        open={rejecting}
        title={t('task.reject')}
        note={t('task.reject_note')}
        confirm={t('task.reject')}
        warn
        busy={busy}
        problem={problem}
        close={() => setRejecting(false)}
        answer={(reason) => void ask('task.reject', { task_id: task.id, reason }, task.version).then((done) => done && setRejecting(false))}
      />
    </section>
  );
}

function Photos({ task }: { task: TaskView }) {
  const { t } = useWords();
  const { name } = useNames();
  const site = useSite();
  const may = useMay();
  const stages = ['before', 'after'] as const;
  if (!task.pictured && !task.photos.length) return null;
  const missing = !task.photos.some((one) => one.stage === 'before');
  return (
    <section className="card" aria-label={t('photo.title')}>
      <div className="photos">
        {stages.map((stage) => (
          <div key={stage}>
            <h3 className="part-title">{t(`photo.of_${stage}`)}</h3>
            {task.photos
              .filter((one) => one.stage === stage)
              .map((one) => (
                <figure key={one.sha256}>
                  <img src={`/api/v1/attachments/${one.sha256}?permit=${task.id}`} alt={t(`photo.of_${stage}`)} loading="lazy" />
                  <figcaption>
                    {name(one.by_id)} · {moment(one.taken_ms, site?.time_zone ?? 'UTC')}
                  </figcaption>
                </figure>
              ))}
            {!task.photos.some((one) => one.stage === stage) && <p className="note">{t('photo.none')}</p>}
          </div>
        ))}
      </div>
      {missing && task.state !== 'closed' && may('task.photo') && <PhotoButton taskId={task.id} stage="before" />}
    </section>
  );
}
