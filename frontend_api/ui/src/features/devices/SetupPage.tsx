import { Select, TextInput } from '@mantine/core';
import { IconCircleCheck, IconPlugConnected } from '@tabler/icons-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Link as Anchor, useLocation, useSearch } from 'wouter';
import { post, Refusal, remove } from '../../api/rest';
import type { Possession, ProblemView, SetupView } from '../../api/schema';
import { Refused } from '../../components/Bits';
import { useWords } from '../../i18n';
import { Back } from './DevicePage';
import { JsonForm, type Path, type Shape } from './JsonForm';
import './devices.css';

const OWN = ['integration', 'instance', 'kind'];
const PROOFS = ['code', 'button', 'wired', 'pairing', 'key'] as const;

/** Set an integration up step by step, or enter a set-up one again. */
export function SetupPage() {
  const { t, say } = useWords();
  const search = useSearch();
  const asked = useMemo(() => new URLSearchParams(search), [search]);
  const [flow, setFlow] = useState<SetupView | null>(null);
  const [instance, setInstance] = useState(asked.get('instance') ?? asked.get('integration') ?? '');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const kind = (asked.get('kind') ?? 'add') as SetupView['kind'];
  const running = useRef('');
  running.current = flow && flow.state !== 'armed' && flow.state !== 'drafted' ? flow.id : '';
  // A flow that is left is ended: nothing of it is kept.
  useEffect(() => () => void (running.current && remove(`/api/v1/setup/${running.current}`).catch(() => undefined)), []);

  const send = async (path: string, body: unknown) => {
    setBusy(true);
    setProblem(null);
    try {
      setFlow(await post<SetupView>(path, body));
    } catch (error) {
      if (error instanceof Refusal) setProblem(error.problem);
    } finally {
      setBusy(false);
    }
  };
  const finding = Object.fromEntries([...asked].filter(([name]) => !OWN.includes(name)));
  const begin = () => send('/api/v1/setup', { integration: asked.get('integration') ?? '', instance, kind, finding });

  return (
    <div className="page work">
      <Back to="/devices/integrations" />
      <div className="page-head">
        <h2>{flow ? say(flow.names) : (asked.get('integration') ?? asked.get('instance'))}</h2>
      </div>
      <Refused problem={problem} />
      {!flow && (
        <div className="device-form">
          <p className="note">{t(`devices.setup_kind.${kind}`)}</p>
          {kind === 'add' && <TextInput label={t('devices.instance')} description={t('devices.instance_note')} required value={instance} onChange={(event) => setInstance(event.currentTarget.value)} />}
          <button type="button" className="btn primary" disabled={busy || !instance} onClick={() => void begin()}>
            <IconPlugConnected size={20} aria-hidden />
            {t('devices.begin')}
          </button>
        </div>
      )}
      {flow && <Flow key={`${flow.id}/${flow.step}/${flow.state}`} flow={flow} busy={busy} send={send} />}
    </div>
  );
}

function Flow(props: { flow: SetupView; busy: boolean; send: (path: string, body: unknown) => Promise<void> }) {
  const { t, say } = useWords();
  const [, go] = useLocation();
  const { flow, busy, send } = props;
  const [values, setValues] = useState(flow.values);
  const [proof, setProof] = useState<Possession | null>(null);
  const base = `/api/v1/setup/${flow.id}`;
  if (flow.state === 'armed') {
    return (
      <div className="device-form" role="status">
        <p className="told-good">
          <IconCircleCheck size={28} aria-hidden /> {t('devices.armed')}
        </p>
        <button type="button" className="btn primary" onClick={() => go('/devices/found')}>
          {t('devices.to_found')}
        </button>
      </div>
    );
  }
  if (flow.state === 'drafted') {
    return (
      <div className="device-form" role="status">
        <p>{t('devices.drafted')}</p>
        {flow.refused && <p className="told-bad">{say(flow.refused)}</p>}
        <Anchor href={`/rules/drafts/${flow.draft}`} className="btn primary">
          {t('devices.to_draft')}
        </Anchor>
      </div>
    );
  }
  return (
    <>
      {flow.steps.length > 1 && (
        <ol className="steps">
          {flow.steps.map((one) => (
            <li key={one.id} aria-current={one.id === flow.step ? 'step' : undefined}>
              {say(one.names) || one.id}
            </li>
          ))}
        </ol>
      )}
      {flow.state === 'form' ? (
        <>
          <JsonForm form={flow.form as Shape} values={values} set={setValues} errors={flow.errors} stored={flow.stored as Path[]} />
          <button type="button" className="btn primary" disabled={busy} onClick={() => void send(`${base}/step`, { step: flow.step, values })}>
            {t('devices.next')}
          </button>
        </>
      ) : (
        <Ready flow={flow} busy={busy} base={base} send={send} proof={proof} setProof={setProof} />
      )}
    </>
  );
}

function Ready(props: { flow: SetupView; busy: boolean; base: string; send: (path: string, body: unknown) => Promise<void>; proof: Possession | null; setProof: (proof: Possession | null) => void }) {
  const { t, say } = useWords();
  const { flow, busy, base, send, proof, setProof } = props;
  const failed = flow.tested === 'failed';
  return (
    <div className="device-form">
      {flow.errors.map((one) => (
        <p key={one.text.en} className="refused" role="alert">
          {one.path.join('.')} {say(one.text)}
        </p>
      ))}
      <p role="status">{t(`devices.tested.${flow.tested}`)}</p>
      {flow.tested === 'unproven' && <ProofPart proof={proof} set={setProof} kinds={[...PROOFS]} />}
      <div className="acts">
        <button type="button" className="btn" disabled={busy} onClick={() => void send(`${base}/test`, { proof })}>
          {busy ? t('devices.trying') : t('devices.try')}
        </button>
        <button type="button" className="btn primary" disabled={busy} onClick={() => void send(`${base}/finish`, { untested: failed, proof })}>
          {t(failed ? 'devices.arm_anyway' : 'devices.arm')}
        </button>
      </div>
    </div>
  );
}

/** Ask how a person proves that the device is the one in front of them. */
export function ProofPart(props: { proof: Possession | null; set: (proof: Possession | null) => void; kinds: string[]; places?: string[] }) {
  const { t } = useWords();
  const { proof, set, kinds, places = [] } = props;
  return (
    <fieldset className="part">
      <legend>{t('devices.proof')}</legend>
      <p className="note">{t('devices.proof_note')}</p>
      <Select
        label={t('devices.proof_kind')}
        data={kinds.map((one) => ({ value: one, label: t(`devices.proof.${one}`) }))}
        value={proof?.kind ?? null}
        onChange={(one) => set(one ? { kind: one as Possession['kind'], detail: '' } : null)}
      />
      {proof?.kind === 'wired' && places.length > 0 && (
        <Select label={t('devices.proof_place')} data={places} value={proof.detail || null} onChange={(one) => set({ ...proof, detail: one ?? '' })} />
      )}
      {(proof?.kind === 'code' || (proof?.kind === 'wired' && !places.length)) && (
        <TextInput label={t(proof.kind === 'code' ? 'devices.proof_code' : 'devices.proof_place')} value={proof.detail ?? ''} onChange={(event) => set({ ...proof, detail: event.currentTarget.value })} />
      )}
      {proof?.kind === 'button' && <p role="status">{t('devices.proof_button')}</p>}
    </fieldset>
  );
}
