import { Modal, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { AlarmView } from '../../api/schema';
import { useMay } from '../../api/session';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';

/** Minutes of a shelf: at most a shift. */
const SHELF = [30, 120, 480, 720];
/** Hours out of service. */
const SERVICE = [8, 24, 168, 720];

/** Put an alarm by, with a reason and an end; never life safety. */
export function PutByDialog({ alarm, close }: { alarm: AlarmView; close: () => void }) {
  const { t, say } = useWords();
  const may = useMay();
  const ways = (['shelve', 'out_of_service'] as const).filter((one) => may(`alarm.${one}`));
  const [way, setWay] = useState(ways[0] ?? 'shelve');
  const [time, setTime] = useState(way === 'shelve' ? SHELF[0]! : SERVICE[0]!);
  const [reason, setReason] = useState('');
  const { ask, busy, problem } = useAct();
  const choose = (next: typeof way) => {
    setWay(next);
    setTime(next === 'shelve' ? SHELF[0]! : SERVICE[0]!);
  };
  const put = async () => {
    const body = { alarm_id: alarm.id, reason: reason.trim() };
    const done = way === 'shelve' ? await ask('alarm.shelve', { ...body, minutes: time }) : await ask('alarm.out_of_service', { ...body, hours: time });
    if (done) close();
  };
  return (
    <Modal opened onClose={close} title={say(alarm.title)} centered closeButtonProps={{ 'aria-label': t('dialog.close') }}>
      <form
        className="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          void put();
        }}
      >
        <p>{t('put.note')}</p>
        {ways.length > 1 && (
          <div className="choice" role="group" aria-label={t('put.way')}>
            {ways.map((one) => (
              <button key={one} type="button" className="btn" aria-pressed={way === one} onClick={() => choose(one)}>
                {t(`put.${one}`)}
              </button>
            ))}
          </div>
        )}
        <div className="choice" role="group" aria-label={t('put.time')}>
          {(way === 'shelve' ? SHELF : SERVICE).map((one) => (
            <button key={one} type="button" className="btn" aria-pressed={time === one} onClick={() => setTime(one)}>
              {way === 'shelve' ? t('put.minutes', { span: one < 60 ? t('put.min', { n: one }) : t('put.h', { n: one / 60 }) }) : t('put.hours', { span: one < 24 ? t('put.h', { n: one }) : t('put.d', { n: one / 24 }) })}
            </button>
          ))}
        </div>
        <Textarea label={t('dialog.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} rows={3} maxLength={300} required data-autofocus />
        <Refused problem={problem} />
        <div className="acts">
          <button type="button" className="btn" onClick={close}>
            {t('dialog.cancel')}
          </button>
          <button type="submit" className="btn primary" disabled={busy || !reason.trim()}>
            {t(`put.${way}`)}
          </button>
        </div>
      </form>
    </Modal>
  );
}
