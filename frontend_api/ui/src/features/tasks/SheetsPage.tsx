import { MultiSelect, NumberInput, Select, Textarea } from '@mantine/core';
import { IconAlertTriangle, IconChecklist, IconSignature } from '@tabler/icons-react';
import { useState } from 'react';
import { useSection, useSite } from '../../api/hooks';
import type { ChecklistView, ItemView, SheetView } from '../../api/schema';
import { useMay, useSession } from '../../api/session';
import { moment } from '../../app/format';
import { Empty } from '../../components/Bits';
import { useWords } from '../../i18n';
import { ActButton, Fold, useNames } from '../permits/parts';
import { Picks } from './Picks';
import { Due, Tabs, useBook } from './shared';

const NOTHING = () => undefined;
type Value = string | number;

export function SheetsPage() {
  const { t, say } = useWords();
  const book = useBook();
  const may = useMay();
  const [filling, setFilling] = useState('');
  const sheets = Object.values(useSection('sheets'));
  const owed = sheets.filter((one) => one.owed.length);
  const whole = sheets.filter((one) => !one.owed.length).sort((a, b) => b.filled_ms - a.filled_ms);
  const chosen = book?.checklists.find((one) => one.id === filling);
  return (
    <div className="page work">
      <div className="page-head">
        <h2>{t('sheets.title')}</h2>
      </div>
      <Tabs />
      {owed.map((sheet) => (
        <Sheet key={sheet.id} sheet={sheet} />
      ))}
      {chosen ? (
        <Fill checklist={chosen} done={() => setFilling('')} />
      ) : (
        <div className="kinds">
          {may('sheet.fill') &&
            (book?.checklists ?? []).map((one) => (
              <button key={one.id} type="button" className="kind" onClick={() => setFilling(one.id)}>
                <b>{say(one.names)}</b>
                <small>
                  {t(`sheet.kind.${one.kind}`)} · {t('sheet.items', { count: one.items.length })}
                </small>
              </button>
            ))}
        </div>
      )}
      {book && !book.checklists.length && <Empty icon={<IconChecklist size={32} aria-hidden />}>{t('sheets.none')}</Empty>}
      {whole.slice(0, 10).map((sheet) => (
        <Sheet key={sheet.id} sheet={sheet} />
      ))}
    </div>
  );
}

function Fill({ checklist, done }: { checklist: ChecklistView; done: () => void }) {
  const { t, say } = useWords();
  const site = useSite();
  const me = useSession().person_id;
  const { people, roles } = useNames();
  const [answers, setAnswers] = useState<Record<string, Value>>({});
  const [zone, setZone] = useState<string | null>(null);
  const [present, setPresent] = useState<string[]>([]);
  const answer = (id: string, value: Value | '') => {
    const { [id]: _, ...rest } = answers;
    setAnswers(value === '' ? rest : { ...rest, [id]: value });
  };
  const missing = checklist.items.filter((one) => one.required && !(one.id in answers)).length;
  return (
    <section className="card form">
      <h3 className="part-title">{say(checklist.names)}</h3>
      <Select
        label={t('task.where')}
        data={(site?.zones ?? []).map((one) => ({ value: one.id, label: say(one.names) }))}
        value={zone}
        onChange={setZone}
      />
      {checklist.items.map((item) => (
        <Answer key={item.id} item={item} value={answers[item.id] ?? ''} set={(value) => answer(item.id, value)} />
      ))}
      <MultiSelect
        label={t('sheet.present')}
        data={people.filter((one) => one.id !== me).map((one) => ({ value: one.id, label: one.name }))}
        value={present}
        onChange={setPresent}
        searchable
      />
      {checklist.signers.length > 0 && <p className="note">{t('sheet.then_sign', { roles: roles(checklist.signers) })}</p>}
      <ActButton
        verb="sheet.fill"
        body={{ checklist: checklist.id, answers, zone_id: zone ?? '', people: present }}
        disabled={missing > 0}
        done={NOTHING}
        succeeded={done}
        className="primary"
      >
        <IconSignature size={24} aria-hidden />
        {missing ? t('sheet.missing', { count: missing }) : t('sheet.sign_own')}
      </ActButton>
      <button type="button" className="btn" onClick={done}>
        {t('dialog.cancel')}
      </button>
    </section>
  );
}

function Answer({ item, value, set }: { item: ItemView; value: Value; set: (value: Value | '') => void }) {
  const { t, say } = useWords();
  const label = say(item.names);
  if (item.type === 'number') {
    return (
      <NumberInput
        label={label}
        description={[item.least, item.most].some((one) => one !== null) ? t('sheet.bounds', { least: item.least ?? '…', most: item.most ?? '…', unit: item.unit }) : undefined}
        value={value}
        onChange={(found) => set(found === '' || Number.isNaN(Number(found)) ? '' : Number(found))}
        rightSection={<span className="unit">{item.unit}</span>}
        rightSectionWidth={64}
        hideControls
      />
    );
  }
  if (item.type === 'text') {
    return <Textarea label={label} value={String(value)} rows={2} maxLength={1000} onChange={(event) => set(event.currentTarget.value)} />;
  }
  const options = (['ok', 'bad', 'na'] as const).map((one) => [one, t(`tick.${one}`)] as const);
  return <Picks label={label} options={options} value={value as 'ok' | 'bad' | 'na' | ''} pick={set} />;
}

function Sheet({ sheet }: { sheet: SheetView }) {
  const { t, say } = useWords();
  const { name, roles, list } = useNames();
  const me = useSession().person_id;
  const mine = useSection('people')[me]?.roles ?? [];
  const site = useSite();
  const may = useMay();
  const asked = sheet.owed.some((role) => mine.includes(role)) || sheet.people.includes(me);
  const sign = may('sheet.sign') && asked && sheet.by_id !== me && !(me in sheet.signed);
  return (
    <Fold title={say(sheet.names)} note={`${name(sheet.by_id)} · ${moment(sheet.filled_ms, site?.time_zone ?? 'UTC')}`} open={sign || sheet.late}>
      {sheet.owed.length > 0 && (
        <p className={sheet.late ? 'refused' : 'lead'}>
          {t(sheet.late ? 'sheet.late' : 'sheet.owed', { roles: roles(sheet.owed) })} <Due ms={sheet.due_ms} />
        </p>
      )}
      <ul className="plain">
        {sheet.answers.map((one) => (
          <li key={one.id} className={one.bad ? 'bad' : ''}>
            {say(one.names)}: <b>{typeof one.value === 'string' && ['ok', 'bad', 'na'].includes(one.value) ? t(`tick.${one.value}`) : String(one.value)}</b>
            {one.bad && <IconAlertTriangle size={18} aria-label={t('tick.bad')} />}
          </li>
        ))}
      </ul>
      {Object.keys(sheet.signed).length > 0 && <p className="note">{t('sheet.signed', { who: list(Object.keys(sheet.signed)) })}</p>}
      {sign && (
        <ActButton verb="sheet.sign" body={{ sheet: sheet.id }} done={NOTHING} className="primary">
          <IconSignature size={24} aria-hidden />
          {t(sheet.owed.length ? 'sheet.take' : 'sheet.heard')}
        </ActButton>
      )}
    </Fold>
  );
}
