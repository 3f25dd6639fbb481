import '@mantine/core/styles/baseline.css';
import '@mantine/core/styles/default-css-variables.css';
import '@mantine/core/styles/global.css';
import '@mantine/core/styles/UnstyledButton.css';
import '@mantine/core/styles/CloseButton.css';
import '@mantine/core/styles/ModalBase.css';
import '@mantine/core/styles/Modal.css';
import '@mantine/core/styles/Overlay.css';
import '@mantine/core/styles/Paper.css';
import '@mantine/core/styles/Input.css';
import '@mantine/core/styles/InlineInput.css';
import '@mantine/core/styles/PasswordInput.css';
import '@mantine/core/styles/ActionIcon.css';
import '@mantine/core/styles/Popover.css';
import '@mantine/core/styles/Combobox.css';
import '@mantine/core/styles/Pill.css';
import '@mantine/core/styles/PillsInput.css';
import '@mantine/core/styles/ScrollArea.css';
import '@mantine/core/styles/Switch.css';
import 'uplot/dist/uPlot.min.css';
import './app/tokens.css';
import './app/base.css';
import './app/shell.css';
import './app/door.css';
import './app/cards.css';
import './app/banner.css';
import './app/gas.css';
import './app/permits.css';
import './app/muster.css';
import './app/drills.css';
import './app/lists.css';
import './app/plan.css';
import './app/work.css';
import './app/work-page.css';
import './app/phone.css';
import { MantineProvider } from '@mantine/core';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { look, theme, wear } from './app/theme';
import { startLanguage } from './i18n';

wear(look());
await startLanguage();
createRoot(document.getElementById('root')!).render(
  <MantineProvider theme={theme} forceColorScheme={look() === 'dark' ? 'dark' : 'light'}>
    <App />
  </MantineProvider>,
);
