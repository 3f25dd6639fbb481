import { IconClipboardOff, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { Link as Anchor } from 'wouter';
import { useSection } from '../../api/hooks';
import type { TaskView } from '../../api/schema';
import { useMay } from '../../api/session';
import { store } from '../../api/store';
import { Empty, Mark } from '../../components/Bits';
import { useWords } from '../../i18n';
import { useNames, useZone } from '../permits/parts';
import { Due, Grade, Tabs, useMine } from './shared';

const GROUPS = ['open', 'mine', 'late', 'recheck', 'closed'] as const;
type Group = (typeof GROUPS)[number];

export function TasksPage() {
  const { t } = useWords();
  const may = useMay();
  const mine = useMine();
  const [group, setGroup] = useState<Group>('open');
  const all = Object.values(useSection('tasks'));
  const fits: Record<Group, (task: TaskView) => boolean> = {
    open: (task) => task.state !== 'closed',
    mine: (task) => task.state !== 'closed' && mine(task),
    late: (task) => task.state !== 'closed' && (task.level > 0 || (task.due_ms > 0 && task.due_ms < store.now())),
    recheck: (task) => task.state === 'fixed',
    closed: (task) => task.state === 'closed',
  };
  const shown = all
    .filter(fits[group])
    .sort((a, b) => (group === 'closed' ? b.closed_ms - a.closed_ms : (a.due_ms || Infinity) - (b.due_ms || Infinity)));
  return (
    <div className="page work">
      <div className="page-head">
        <h2>{t('tasks.title')}</h2>
        {may('task.report') && (
          <Anchor href="/tasks/new" className="btn primary">
            <IconPlus size={20} aria-hidden />
            {t('task.report')}
          </Anchor>
        )}
      </div>
      <Tabs />
      <div className="filters" role="group" aria-label={t('tasks.which')}>
        {GROUPS.map((one) => (
          <button key={one} type="button" className="filter" aria-pressed={group === one} onClick={() => setGroup(one)}>
            {t(`tasks.${one}`)} <b>{all.filter(fits[one]).length}</b>
          </button>
        ))}
      </div>
      <div className="cards one">
        {shown.map((task) => (
          <Row key={task.id} task={task} />
        ))}
        {!shown.length && <Empty icon={<IconClipboardOff size={32} aria-hidden />}>{t('tasks.none')}</Empty>}
      </div>
    </div>
  );
}

function Row({ task }: { task: TaskView }) {
  const { t, say } = useWords();
  const { name, roles } = useNames();
  const zone = useZone(task.zone_id ?? '');
  const who = task.owner_id ? name(task.owner_id) : roles(task.roles) || t('task.nobody');
  return (
    <article className={`task-row ${task.state} ${task.grade}`} aria-label={say(task.title)}>
      <Anchor href={`/tasks/${task.id}`} className="permit-link">
        <div className="permit-head">
          <div>
            <h3>
              {say(task.title)} <Mark mark={task.mark} />
            </h3>
            <p>
              {say(task.kind_name)}
              {zone && ` · ${zone}`} · {who}
            </p>
          </div>
          <span className={`status ${task.state}`}>{t(`stage.${task.state}`)}</span>
        </div>
        <p className="task-foot">
          <Grade grade={task.grade} />
          {task.state !== 'closed' && <Due ms={task.due_ms} />}
        </p>
      </Anchor>
    </article>
  );
}
