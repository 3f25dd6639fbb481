import './tasks.css';

export { PlanRunPage } from '../plans/PlanRunPage';
export { PlansPage } from '../plans/PlansPage';
export { ReportPage } from './ReportPage';
export { RoundsPage } from './RoundsPage';
export { SheetsPage } from './SheetsPage';
export { TaskPage } from './TaskPage';
export { TasksPage } from './TasksPage';
