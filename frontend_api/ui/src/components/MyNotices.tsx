import { IconBellRinging, IconCheck } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import { useSection, useSite } from '../api/hooks';
import { act } from '../api/rest';
import type { NoticeView } from '../api/schema';
import { useMay, useSession } from '../api/session';
import { clock } from '../app/format';
import { useWords } from '../i18n';
import { Mark, Refused } from './Bits';
import { useAct } from './useAct';

/** What the hub owes this person: shown on every page until it is answered. */
export function MyNotices() {
  const me = useSession().person_id;
  const mine = Object.values(useSection('notices'))
    .filter((one) => one.person_id === me && !one.acknowledged)
    .sort((a, b) => b.queued_ms - a.queued_ms);
  useSeen(mine);
  if (!mine.length) return null;
  return (
    <div className="notices">
      {mine.slice(0, 3).map((notice) => (
        <Notice key={notice.id} notice={notice} />
      ))}
    </div>
  );
}

/** Tell the hub once that a notice was on this person's screen. */
function useSeen(notices: NoticeView[]): void {
  const told = useRef(new Set<string>());
  const may = useMay();
  const key = notices.map((one) => one.id).join();
  useEffect(() => {
    if (!may('notice.seen')) return;
    for (const notice of notices) {
      const open = ['queued', 'sent', 'delivered'].includes(notice.channels.screen ?? '');
      if (!open || told.current.has(notice.id)) continue;
      told.current.add(notice.id);
      // Nothing is lost if it fails: the hub escalates what was not seen.
      void act('notice.seen', { notice_id: notice.id }).catch(() => told.current.delete(notice.id));
    }
    // The ids are what counts; the list itself is new on each render.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key]);
}

function Notice({ notice }: { notice: NoticeView }) {
  const { t, say } = useWords();
  const site = useSite();
  const may = useMay();
  const { ask, busy, problem } = useAct();
  return (
    <section className="notice" aria-label={`${t('notice.for_me')}: ${say(notice.text)}`}>
      <IconBellRinging size={22} aria-hidden />
      <p>
        <b>{say(notice.text)}</b> <Mark mark={notice.mark} />
        <span>
          {notice.role && `${t('notice.as', { role: t(`role.${notice.role}`, { defaultValue: notice.role }) })} · `}
          {clock(notice.queued_ms, site?.time_zone ?? 'UTC', true)}
        </span>
        <Refused problem={problem} />
      </p>
      {may('notice.acknowledge') && (
        <button type="button" className="btn" disabled={busy} onClick={() => void ask('notice.acknowledge', { notice_id: notice.id })}>
          <IconCheck size={18} aria-hidden />
          {t('notice.answer')}
        </button>
      )}
    </section>
  );
}
