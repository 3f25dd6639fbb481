import { Modal, Select, Switch, TextInput } from '@mantine/core';
import { IconDoorEnter, IconDoorExit, IconLifebuoy } from '@tabler/icons-react';
import { useState } from 'react';
import { useBeat } from '../../api/hooks';
import { useMay, useSession } from '../../api/session';
import { store } from '../../api/store';
import { span } from '../../app/format';
import { useWords } from '../../i18n';
import { ActButton, useNames, type Part } from './parts';

/** The log is opened right before the start, which asks for it. */
const SOON = ['approved', 'briefed'];
const NAME = /[,，、;；\n]+/;

/** Count people and tools in and out; the count stands largest of all. */
export function EntryPart({ file, permit, done }: Part) {
  const { t } = useWords();
  const may = useMay();
  const { name } = useNames();
  const [tools, setTools] = useState('');
  useBeat(10_000);
  const inside = new Map(file.inside.map((one) => [one.person_id, one]));
  const people = [...new Set([...permit.workers, ...inside.keys()])];
  const brought = tools.split(NAME).map((one) => one.trim()).filter(Boolean);
  const counts = may('entry.in') || may('entry.out');
  const soon = SOON.includes(file.status) && may('entry.open');
  if (!file.started_ms && !file.entry_open && !soon) return null;
  return (
    <section className="card entry">
      <header>
        <h2>{t('entry.title')}</h2>
      </header>
      <p className="entry-count" role="status">
        <strong>{inside.size}</strong> {t('entry.inside')}
        {file.tools.length > 0 && (
          <>
            {' · '}
            <strong>{file.tools.length}</strong> {t('entry.tools')}
          </>
        )}
      </p>
      {!file.entry_open && may('entry.open') && (
        <ActButton verb="entry.open" body={{ permit_id: file.id }} done={done} className="primary">
          {t('entry.open')}
        </ActButton>
      )}
      {file.entry_open && (
        <>
          {counts && <TextInput label={t('entry.with')} description={t('entry.with_note')} value={tools} onChange={(event) => setTools(event.currentTarget.value)} />}
          <ul className="entry-list">
            {people.map((person) => {
              const one = inside.get(person);
              return (
                <li key={person} className={one ? 'in' : ''}>
                  <div>
                    <b>{name(person)}</b>
                    {one && (
                      <span>
                        {t('entry.since', { span: span(store.now() - one.since_ms, t) })}
                        {one.seen ? ` · ${t('entry.seen')}` : ''}
                        {one.rescue ? ` · ${t('entry.rescue')}` : ''}
                      </span>
                    )}
                  </div>
                  {one
                    ? may('entry.out') && (
                        <ActButton verb="entry.out" body={{ permit_id: file.id, person_id: person, tools: brought }} done={() => { setTools(''); done(); }} label={t('entry.out_name', { name: name(person) })}>
                          <IconDoorExit size={26} aria-hidden />
                          {t('entry.out')}
                        </ActButton>
                      )
                    : file.status === 'active' && may('entry.in') && (
                        <ActButton verb="entry.in" body={{ permit_id: file.id, person_id: person, tools: brought }} done={() => { setTools(''); done(); }} className="primary" label={t('entry.in_name', { name: name(person) })}>
                          <IconDoorEnter size={26} aria-hidden />
                          {t('entry.in')}
                        </ActButton>
                      )}
                </li>
              );
            })}
          </ul>
          <ToolsOut {...{ file, permit, done }} />
          {may('entry.in') && <Rescue {...{ file, permit, done }} />}
        </>
      )}
    </section>
  );
}

/** What is still inside: one tap brings a tool out, whoever carries it. */
function ToolsOut({ file, done }: Part) {
  const { t } = useWords();
  const may = useMay();
  const session = useSession();
  if (!file.tools.length) return null;
  if (!may('entry.out')) return <p className="note">{t('entry.which', { tools: file.tools.join(t('list.comma')) })}</p>;
  return (
    <div className="stack" role="group" aria-label={t('entry.tools_title')}>
      <h3 className="part-title">{t('entry.tools_title')}</h3>
      {file.tools.map((tool) => (
        <ActButton key={tool} verb="entry.out" body={{ permit_id: file.id, person_id: session.person_id, tools: [tool] }} done={done}>
          <IconDoorExit size={24} aria-hidden />
          {t('entry.tool_out', { tool })}
        </ActButton>
      ))}
    </div>
  );
}

/** To bring somebody out: whatever the permit says, yet never without protection. */
function Rescue({ file, done }: Part) {
  const { t } = useWords();
  const { people } = useNames();
  const [open, setOpen] = useState(false);
  const [who, setWho] = useState<string | null>(null);
  const [ppe, setPpe] = useState(false);
  const inside = file.inside.map((one) => one.person_id);
  const went = () => {
    done();
    setOpen(false);
    setWho(null);
    setPpe(false);
  };
  return (
    <>
      <button type="button" className="btn warn huge" onClick={() => setOpen(true)}>
        <IconLifebuoy size={24} aria-hidden />
        {t('rescue.title')}
      </button>
      <Modal opened={open} onClose={() => setOpen(false)} title={t('rescue.title')} centered closeButtonProps={{ 'aria-label': t('dialog.close') }}>
        <div className="work stack">
          <p className="late">{t('rescue.note')}</p>
          <Select label={t('rescue.who')} searchable data={people.filter((one) => !inside.includes(one.id)).map((one) => ({ value: one.id, label: one.name }))} value={who} onChange={setWho} />
          <Switch size="lg" label={t('rescue.ppe')} checked={ppe} onChange={(event) => setPpe(event.currentTarget.checked)} />
          <ActButton verb="entry.in" body={{ permit_id: file.id, person_id: who ?? '', rescue: true, ppe }} done={done} succeeded={went} className="warn" disabled={!who}>
            <IconDoorEnter size={26} aria-hidden />
            {t('rescue.do')}
          </ActButton>
        </div>
      </Modal>
    </>
  );
}
