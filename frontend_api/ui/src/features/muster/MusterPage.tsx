import { Modal, MultiSelect, Switch } from '@mantine/core';
import { IconMoodCheck, IconRun } from '@tabler/icons-react';
import { useState } from 'react';
import { useSection, useSite } from '../../api/hooks';
import { useMay } from '../../api/session';
import { Empty, Refused } from '../../components/Bits';
import { MusterCard } from '../../components/MusterCard';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';

export function MusterPage() {
  const { t } = useWords();
  const may = useMay();
  const [asking, setAsking] = useState(false);
  const all = Object.values(useSection('evacuations'));
  const running = all.filter((one) => !one.cleared_ms);
  const cleared = all.filter((one) => one.cleared_ms).sort((a, b) => b.cleared_ms - a.cleared_ms);
  return (
    <div className="page">
      <div className="page-head">
        <h2>{t('nav.muster')}</h2>
        {may('evacuation.start') && (
          <button type="button" className="btn warn" onClick={() => setAsking(true)}>
            <IconRun size={20} aria-hidden />
            {t('muster.start')}
          </button>
        )}
      </div>
      <div className="cards">
        {running.map((one) => (
          <MusterCard key={one.id} evacuation={one} whole />
        ))}
        {!running.length && (
          <Empty icon={<IconMoodCheck size={32} aria-hidden />}>{t('muster.none')}</Empty>
        )}
        {cleared.slice(0, 4).map((one) => (
          <MusterCard key={one.id} evacuation={one} />
        ))}
      </div>
      <StartDialog open={asking} close={() => setAsking(false)} />
    </div>
  );
}

function StartDialog({ open, close }: { open: boolean; close: () => void }) {
  const { t, say } = useWords();
  const site = useSite();
  const [zones, setZones] = useState<string[]>([]);
  const [drill, setDrill] = useState(false);
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
        <Switch label={t('muster.drill')} checked={drill} onChange={(event) => setDrill(event.currentTarget.checked)} />
        <Refused problem={problem} />
        <div className="acts">
          <button type="button" className="btn" onClick={close}>
            {t('dialog.cancel')}
          </button>
          <button
            type="button"
            className="btn warn"
            disabled={busy || !zones.length}
            onClick={() => void ask('evacuation.start', { zones, drill, reason: '' }).then((done) => done && close())}
          >
            {t('muster.start')}
          </button>
        </div>
      </div>
    </Modal>
  );
}
