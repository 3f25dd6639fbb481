import { IconAmbulance, IconArrowBackUp, IconCheck, IconClipboardText, IconMapPin, IconPhoto, IconRadar2, IconUserQuestion } from '@tabler/icons-react';
import { useState } from 'react';
import { Link as Anchor } from 'wouter';
import { useBeat, useSection, useSite } from '../../api/hooks';
import type { RollView } from '../../api/schema';
import { store } from '../../api/store';
import { clock, figure, span } from '../../app/format';
import { useWords } from '../../i18n';
import { GroupDialog, RescueDialog } from './RollActs';
import { usePlace } from './RollCall';

const ICON = { missing: IconUserQuestion, device_seen: IconRadar2, accounted: IconCheck, rescue: IconAmbulance } as const;

export type Tick = (line: RollView, status: string, count?: number, rescuer?: string) => void;

export function RollLine({ line, busy, tick }: { line: RollView; busy: boolean; tick: Tick | undefined }) {
  const { t, say } = useWords();
  const site = useSite();
  const people = useSection('people');
  const [asking, setAsking] = useState<'' | 'group' | 'rescue'>('');
  const name = say(line.names);
  const Icon = ICON[line.status as keyof typeof ICON] ?? IconUserQuestion;
  const out = line.status === 'accounted' || line.status === 'rescue';
  const at = line.at_ms ? clock(line.at_ms, site?.time_zone ?? 'UTC', true) : '';
  const group = line.count > 1;
  return (
    <li className={`${line.status} ${line.late ? 'late' : ''}`}>
      <div className="who">
        <b>
          {name}
          {group && <em> ×{line.count}</em>}
        </b>
        <span className="roll-state">
          <Icon size={20} aria-hidden />
          {t(`roll.${line.status}`)}
          {out && line.by ? ` · ${t(`method.${line.method}`, { name: people[line.by]?.name ?? line.by })} ${at}` : ''}
          {!out && line.late ? ` · ${t('roll.late')}` : ''}
          {!out && group && line.seen ? ` · ${line.seen}/${line.count}` : ''}
          {line.joined_ms ? ` · ${t('roll.joined', { at: clock(line.joined_ms, site?.time_zone ?? 'UTC') })}` : ''}
        </span>
        {!out && <Last line={line} />}
      </div>
      {tick && !out && (
        <div className="roll-acts">
          <button
            type="button"
            className="btn tick"
            disabled={busy}
            aria-label={t('roll.tick_name', { name })}
            onClick={() => (group ? setAsking('group') : tick(line, 'accounted'))}
          >
            <IconCheck size={30} stroke={2.6} aria-hidden />
            <span>{t('roll.tick')}</span>
          </button>
          <button type="button" className="btn rescue" disabled={busy} aria-label={t('roll.rescue_name', { name })} onClick={() => setAsking('rescue')}>
            <IconAmbulance size={24} aria-hidden />
            <span>{t('roll.rescue_act')}</span>
          </button>
        </div>
      )}
      {tick && out && (
        <button type="button" className="btn" disabled={busy} aria-label={t('roll.undo_name', { name })} onClick={() => tick(line, 'missing')}>
          <IconArrowBackUp size={22} aria-hidden />
          <span>{t('roll.undo')}</span>
        </button>
      )}
      {tick && asking === 'group' && <GroupDialog line={line} tick={tick} close={() => setAsking('')} />}
      {tick && asking === 'rescue' && <RescueDialog line={line} tick={tick} close={() => setAsking('')} />}
    </li>
  );
}

/** Where, when, at what work and in what gas a missing person was last. */
function Last({ line }: { line: RollView }) {
  const { t } = useWords();
  const place = usePlace();
  useBeat();
  const where = place(line.zone_id);
  return (
    <>
      <span className="last">
        <IconMapPin size={20} aria-hidden />
        {line.certain ? t('roll.at', { place: where }) : t('roll.last', { place: where })}
        {line.seen_ms ? ` · ${t('roll.ago', { span: span(store.now() - line.seen_ms, t) })}` : ''}
      </span>
      {line.permits.map((one) => (
        <Anchor key={one.id} href={`/permits/${one.id}`} className="last textlink">
          <IconClipboardText size={20} aria-hidden />
          {one.title || one.id} · {t(`permit.${one.status}`)}
        </Anchor>
      ))}
      {line.gas.length > 0 && (
        <span className="gases">
          {line.gas.map((one, number) => (
            <em key={number} className={one.quality > 1 ? 'stale' : ''}>
              {one.quantity.toUpperCase()} {figure(one.value)} {one.unit}
              {one.quality > 1 ? ` ${t('gas.not_good')}` : ''}
            </em>
          ))}
        </span>
      )}
      {line.frame && (
        <span className="last">
          <IconPhoto size={20} aria-hidden />
          {line.frame}
        </span>
      )}
    </>
  );
}
