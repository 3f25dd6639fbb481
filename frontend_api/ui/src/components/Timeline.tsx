import { IconAlertTriangle, IconCircleCheck, IconInfoCircle, IconUrgent } from '@tabler/icons-react';
import { useState } from 'react';
import { useDurable, useEvents, useSite } from '../api/hooks';
import { get, Refusal } from '../api/rest';
import type { EventView, Page } from '../api/schema';
import { clock } from '../app/format';
import { useWords } from '../i18n';
import { Card } from './Bits';

const ICONS = {
  critical: IconUrgent,
  major: IconAlertTriangle,
  minor: IconAlertTriangle,
  info: IconInfoCircle,
  ok: IconCircleCheck,
} as const;
/** What a person seldom asks: steps of rules, deliveries, moves. */
const QUIET = ['person.moved', 'run.stepped', 'run.joined', 'notice.moved', 'notice.closed', 'device.enrolled', 'command.issued'];

export function Timeline({ limit = 14 }: { limit?: number }) {
  const { t, say } = useWords();
  const site = useSite();
  const durable = useDurable();
  const fresh = useEvents();
  const [older, setOlder] = useState<EventView[]>([]);
  const [all, setAll] = useState(false);
  const [count, setCount] = useState(limit);
  const [ended, setEnded] = useState(false);
  const known = new Set(fresh.map((event) => event.seq));
  const events = [...fresh, ...older.filter((event) => !known.has(event.seq))];
  const shown = events.filter((event) => all || !QUIET.includes(event.type));
  const more = async () => {
    setCount(count + limit);
    const last = events.at(-1);
    if (!last || shown.length > count + limit) return;
    try {
      const page = await get<Page>(`/api/v1/events?before=${last.seq}&limit=100`);
      setOlder([...older, ...page.items]);
      setEnded((page.next_before ?? null) === null);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  };
  return (
    <Card
      title={t('events.title')}
      className="timeline"
      extra={
        <div className="switch small" role="group" aria-label={t('events.which')}>
          <button type="button" aria-pressed={!all} onClick={() => setAll(false)}>
            {t('events.main')}
          </button>
          <button type="button" aria-pressed={all} onClick={() => setAll(true)}>
            {t('events.all')}
          </button>
        </div>
      }
    >
      <ol>
        {shown.slice(0, count).map((event) => {
          const Icon = ICONS[event.level as keyof typeof ICONS] ?? IconInfoCircle;
          return (
            <li key={`${event.epoch}.${event.seq}`} className={event.level}>
              <time>{clock(event.wall_ms, site?.time_zone ?? 'UTC', true)}</time>
              <Icon size={18} aria-label={t(`level.${event.level}`)} />
              <span>
                {say(event.text)}
                {event.drill && <span className="mark">{t('mark.drill')}</span>}
                {event.seq > durable && <small> {t('events.unwritten')}</small>}
                {!event.synced && <small> {t('events.unsynced')}</small>}
              </span>
            </li>
          );
        })}
      </ol>
      {(!ended || shown.length > count) && (
        <button type="button" className="btn quiet-btn" onClick={() => void more()}>
          {t('events.more')}
        </button>
      )}
    </Card>
  );
}
