import { useState } from 'react';
import { useSection, useSite } from '../../api/hooks';
import type { EntityView, OutputView } from '../../api/schema';
import { useMay } from '../../api/session';
import { Card, Refused } from '../../components/Bits';
import { ReasonDialog } from '../../components/ReasonDialog';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { proofOf, ProofTest, type ProofStanding } from '../devices/ProofTest';

const OWED: ProofStanding[] = ['failed', 'overdue', 'due'];
const rank = (one: EntityView) => (one.proof ? (OWED.indexOf(proofOf(one.proof)) + OWED.length + 1) % (OWED.length + 1) : OWED.length);

/** What every output should be, who may let it end, and which are owed a proof test. */
export function Outputs() {
  const { t } = useWords();
  const told = useSection('outputs');
  const all = Object.values(useSection('devices')).flatMap((device) =>
    device.entities.filter((one) => one.output).map((entity) => ({ device, entity })),
  );
  const known = new Set(all.map((one) => one.entity.id));
  const gone = Object.values(told).filter((one) => !known.has(one.entity_id));
  if (!all.length && !gone.length) return null;
  return (
    <Card title={t('outputs.title')}>
      <ul className="devices">
        {all
          .sort((a, b) => rank(a.entity) - rank(b.entity))
          .map(({ device, entity }) => {
            const output = told[entity.id];
            return output ? (
              <Output key={entity.id} output={output} entity={entity} />
            ) : (
              <li key={entity.id}>
                <div>
                  <b>{entity.name}</b>
                  <span>{device.name}</span>
                </div>
                <ProofTest entity={entity} />
              </li>
            );
          })}
        {gone.map((output) => (
          <Output key={output.entity_id} output={output} />
        ))}
      </ul>
    </Card>
  );
}

function Output({ output, entity }: { output: OutputView; entity?: EntityView }) {
  const { t, say } = useWords();
  const site = useSite();
  const may = useMay();
  const zones = useSection('zones');
  const [asking, setAsking] = useState(false);
  const { ask, busy, problem, clear } = useAct();
  const on = output.value === true;
  const zone = output.zone_id ?? '';
  const loud = on && output.kind === 'siren' && zone && !zones[zone]?.silenced;
  const release = async (reason: string) => {
    if (await ask('output.release', { entity_id: output.entity_id, reason })) setAsking(false);
  };
  return (
    <li>
      <div>
        <b>{output.name}</b>
        <span>
          {say(site?.zones.find((one) => one.id === zone)?.names)} · {t(on ? 'value.on' : 'value.off')} · {t(`command.${output.state}`)}
        </span>
      </div>
      <div className="acts">
        {loud && may('sirens.silence') && (
          <button type="button" className="btn" disabled={busy} onClick={() => void ask('sirens.silence', { zone_id: zone })}>
            {t('outputs.silence')}
          </button>
        )}
        {on && may('output.release') && (
          <button type="button" className="btn" onClick={() => { clear(); setAsking(true); }}>
            {t('outputs.release')}
          </button>
        )}
      </div>
      {!asking && <Refused problem={problem} />}
      {entity && <ProofTest entity={entity} />}
      <ReasonDialog open={asking} title={t('outputs.release')} note={t('outputs.release_note')} confirm={t('outputs.release')} busy={busy} problem={problem} close={() => setAsking(false)} answer={(reason) => void release(reason)} />
    </li>
  );
}
