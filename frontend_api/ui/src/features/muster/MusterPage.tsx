import { Modal, MultiSelect, TextInput } from '@mantine/core';
import { IconHelmet, IconMoodCheck, IconRun } from '@tabler/icons-react';
import { useState } from 'react';
import { Link as Anchor } from 'wouter';
import { useSection, useSite } from '../../api/hooks';
import { useMay } from '../../api/session';
import { Empty, Refused } from '../../components/Bits';
import { MusterCard } from '../../components/MusterCard';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { Drills } from './Drills';
import { RollCall } from './RollCall';
import { Visitors } from './Visitors';

export function MusterPage() {
  const { t } = useWords();
  const may = useMay();
  const [asking, setAsking] = useState(false);
  const rack = Object.values(useSection('devices')).some((one) => one.wearable);
  const all = Object.values(useSection('evacuations'));
  // What is real stands before any drill.
  const running = all.filter((one) => !one.cleared_ms).sort((a, b) => a.mark.length - b.mark.length);
  const over = all.filter((one) => one.cleared_ms).sort((a, b) => b.cleared_ms - a.cleared_ms);
  return (
    <div className="page muster-page">
      <div className="page-head">
        <h2>{t('nav.muster')}</h2>
        {rack && (
          <Anchor href="/devices/rack" className="btn">
            <IconHelmet size={20} aria-hidden />
            {t('wear.rack')}
          </Anchor>
        )}
        {may('evacuation.start') && (
          <button type="button" className="btn warn" onClick={() => setAsking(true)}>
            <IconRun size={20} aria-hidden />
            {t('muster.start')}
          </button>
        )}
      </div>
      {running.map((one) => (
        <RollCall key={one.id} evacuation={one} />
      ))}
      {!running.length && (
        <Empty icon={<IconMoodCheck size={32} aria-hidden />}>{t('muster.none')}</Empty>
      )}
      <Visitors />
      <Drills />
      {over.length > 0 && (
        <div className="cards">
          {over.slice(0, 4).map((one) => (
            <MusterCard key={one.id} evacuation={one} />
          ))}
        </div>
      )}
      <StartDialog open={asking} close={() => setAsking(false)} />
    </div>
  );
}

function StartDialog({ open, close }: { open: boolean; close: () => void }) {
  const { t, say } = useWords();
  const site = useSite();
  const [zones, setZones] = useState<string[]>([]);
  const [reason, setReason] = useState('');
  const { ask, busy, problem } = useAct();
  return (
    <Modal opened={open} onClose={close} title={t('muster.start')} centered closeButtonProps={{ 'aria-label': t('dialog.close') }}>
      <div className="dialog">
        <MultiSelect
          label={t('muster.zones')}
          data={(site?.zones ?? []).map((zone) => ({ value: zone.id, label: say(zone.names) }))}
          value={zones}
          onChange={setZones}
        />
        <TextInput label={t('dialog.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <Refused problem={problem} />
        <div className="acts">
          <button type="button" className="btn" onClick={close}>
            {t('dialog.cancel')}
          </button>
          <button
            type="button"
            className="btn warn"
            disabled={busy || !zones.length}
            onClick={() => void ask('evacuation.start', { zones, reason }).then((done) => done && close())}
          >
            {t('muster.start')}
          </button>
        </div>
      </div>
    </Modal>
  );
}
