export { CommissionPage } from './CommissionPage';
export { DevicePage } from './DevicePage';
export { DevicesPage } from './DevicesPage';
export { EnrolPage } from './EnrolPage';
export { FoundPage } from './FoundPage';
export { IntegrationsPage } from './IntegrationsPage';
export { MapPage } from './MapPage';
export { SetupPage } from './SetupPage';
