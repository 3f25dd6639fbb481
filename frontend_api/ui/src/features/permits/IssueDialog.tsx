import { Modal, MultiSelect, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useSection, useSite } from '../../api/hooks';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';

const BLANK = { kind: '', zone_id: '', title: '', supervisor_id: '', guardian_id: '', workers: [] as string[], linked: [] as string[] };

/** The least that a permit needs; the hub judges every interlock when it is sent. */
export function IssueDialog({ open, close }: { open: boolean; close: () => void }) {
  const { t, say } = useWords();
  const site = useSite();
  const people = Object.values(useSection('people'));
  const permits = Object.values(useSection('permits')).filter((one) => one.status !== 'closed');
  const [form, setForm] = useState(BLANK);
  const { ask, busy, problem, clear } = useAct();
  const put = (part: Partial<typeof BLANK>) => setForm({ ...form, ...part });
  const kind = site?.permit_kinds.find((one) => one.id === form.kind);
  const ready = form.kind && form.zone_id && form.title.trim() && form.supervisor_id && form.workers.length && (!kind?.guardian || form.guardian_id);
  const pick = (role?: string) =>
    people.filter((one) => !role || one.roles.includes(role)).map((one) => ({ value: one.id, label: one.name }));
  const leave = () => {
    setForm(BLANK);
    clear();
    close();
  };
  const send = async () => {
    const done = await ask('permit.issue', { ...form, title: form.title.trim(), valid_h: null });
    if (done) leave();
  };
  return (
    <Modal opened={open} onClose={leave} title={t('permit.issue')} centered size="lg" closeButtonProps={{ 'aria-label': t('dialog.close') }}>
      <form
        className="dialog two"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <Select label={t('permit.kind')} required data={(site?.permit_kinds ?? []).map((one) => ({ value: one.id, label: say(one.names) }))} value={form.kind || null} onChange={(value) => put({ kind: value ?? '' })} />
        <Select label={t('permit.zone')} required data={(site?.zones ?? []).map((one) => ({ value: one.id, label: say(one.names) }))} value={form.zone_id || null} onChange={(value) => put({ zone_id: value ?? '' })} />
        <TextInput className="span" label={t('permit.title')} required maxLength={80} value={form.title} onChange={(event) => put({ title: event.currentTarget.value })} />
        <Select label={t('permit.supervisor')} required data={pick('supervisor')} value={form.supervisor_id || null} onChange={(value) => put({ supervisor_id: value ?? '' })} />
        <Select label={t('permit.guardian')} required={kind?.guardian ?? true} data={pick('guardian')} value={form.guardian_id || null} onChange={(value) => put({ guardian_id: value ?? '' })} />
        <MultiSelect className="span" label={t('permit.workers')} required data={pick()} value={form.workers} onChange={(value) => put({ workers: value })} />
        <MultiSelect className="span" label={t('permit.linked')} data={permits.map((one) => ({ value: one.id, label: one.title }))} value={form.linked} onChange={(value) => put({ linked: value })} />
        {kind && kind.gases.length > 0 && (
          <p className="note span">{t('permit.needs_gas', { gases: kind.gases.map((gas) => say(site?.quantities.find((one) => one.id === gas)?.names)).join(t('list.comma')) })}</p>
        )}
        <div className="span">
          <Refused problem={problem} />
        </div>
        <div className="acts span">
          <button type="button" className="btn" onClick={leave}>
            {t('dialog.cancel')}
          </button>
          <button type="submit" className="btn primary" disabled={busy || !ready}>
            {t('permit.issue')}
          </button>
        </div>
      </form>
    </Modal>
  );
}
