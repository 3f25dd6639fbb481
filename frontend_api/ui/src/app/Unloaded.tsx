import { Component, type ReactNode } from 'react';
import { useWords } from '../i18n';

/**
 * Stand in for a page whose file could not be loaded: the hub is away, or was updated
 * and no longer has the file that this page was built with.
 */
export class Unloaded extends Component<{ children: ReactNode }, { failed: boolean }> {
  state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  render() {
    return this.state.failed ? <Again /> : this.props.children;
  }
}

function Again() {
  const { t } = useWords();
  return (
    <section className="card stack" role="alert">
      <p>{t('app.unloaded')}</p>
      <button type="button" className="btn primary big" onClick={() => location.reload()}>
        {t('app.reload')}
      </button>
    </section>
  );
}
