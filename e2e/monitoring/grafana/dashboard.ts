// The shape of a dashboard as @grafana/schema types it, with the options of the panel types that are used.
import type { Dashboard, FieldConfig, FieldConfigSource, Panel, RowPanel } from './node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen';
import type * as stat from './node_modules/@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen';
import type * as timeseries from './node_modules/@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen';
import type * as table from './node_modules/@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen';
import type * as bargauge from './node_modules/@grafana/schema/dist/types/raw/composable/bargauge/panelcfg/x/types.gen';
import type * as text from './node_modules/@grafana/schema/dist/types/raw/composable/text/panelcfg/x/types.gen';

interface Of<T extends string, Options, Custom> extends Omit<Panel, 'type' | 'options' | 'fieldConfig'> {
  type: T;
  options?: Options;
  fieldConfig?: Omit<FieldConfigSource, 'defaults'> & { defaults: Omit<FieldConfig, 'custom'> & { custom?: Custom } };
}

export type Known =
  | Of<'stat', Partial<stat.Options>, {}>
  | Of<'timeseries', Partial<timeseries.Options>, timeseries.FieldConfig>
  | Of<'table', Partial<table.Options>, Partial<table.FieldConfig>>
  | Of<'bargauge', Partial<bargauge.Options>, {}>
  | Of<'text', Partial<text.Options>, {}>
  | (Omit<RowPanel, 'panels'> & { panels: Known[] });

export interface Shipped extends Omit<Dashboard, 'panels'> {
  panels: Known[];
}
