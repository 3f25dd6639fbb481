import { Modal, Textarea } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useWords } from '../i18n';
import { Refused } from './Bits';
import type { Reasoned } from './ReasonDialog';

/** Ask for a reason in the person's own words; it is journalled with the act. */
export default function ReasonForm(props: Reasoned) {
  const { t } = useWords();
  const [reason, setReason] = useState('');
  useEffect(() => setReason(''), [props.open]);
  return (
    <Modal opened={props.open} onClose={props.close} title={props.title} centered closeButtonProps={{ 'aria-label': t('dialog.close') }}>
      <form
        className="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          props.answer(reason.trim());
        }}
      >
        <p>{props.note}</p>
        <Textarea
          label={t('dialog.reason')}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          rows={3}
          maxLength={300}
          required
          data-autofocus
        />
        <Refused problem={props.problem} />
        <div className="acts">
          <button type="button" className="btn" onClick={props.close}>
            {t('dialog.cancel')}
          </button>
          <button type="submit" className={props.warn ? 'btn warn' : 'btn primary'} disabled={props.busy || !reason.trim()}>
            {props.confirm}
          </button>
        </div>
      </form>
    </Modal>
  );
}
