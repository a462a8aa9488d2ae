import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, parseDocument } from 'yaml';
import { z } from 'zod';
import { repositoryRoot } from '#libs/config/environment.js';
import { apiSettings, monitorSettings } from '#libs/config/shared.settings.js';

const textOf = (path: string): string => readFileSync(join(repositoryRoot, 'docker', path), 'utf8');
/** Compose's own tags say how a value is laid over another; what is in it stays what it is. */
const customTags = (['!override', '!reset'] as const).flatMap((tag) => [
  { tag, collection: 'map' as const, resolve: (value: unknown) => value },
  { tag, collection: 'seq' as const, resolve: (value: unknown) => value },
]);
const Compose = z.object({
  services: z.record(
    z.string(),
    z.looseObject({
      image: z.string().optional(),
      environment: z.record(z.string(), z.unknown()).optional(),
      read_only: z.boolean().optional(),
      cap_drop: z.array(z.string()).optional(),
    }),
  ),
});
const Values = z.record(z.string(), z.unknown());
const Manifest = z.looseObject({ kind: z.string(), data: Values.optional(), stringData: Values.optional() });

const composed = (path: string): z.infer<typeof Compose>['services'] => {
  const document = parseDocument(textOf(path), { merge: true, customTags });
  expect(document.errors).toEqual([]);
  return Compose.parse(document.toJS()).services;
};

/** A setting of the apps, or the file of one. */
const isSetting = (name: string): boolean =>
  [name, name.replace(/_FILE$/, '')].some((known) => known in apiSettings || known in monitorSettings);
const OTHERS = /^(POSTGRES_(USER|DB|PASSWORD(_FILE)?)|REDIS_PASSWORD)$/;

/** Real: the files as they are deployed. No engine runs here; `docker/steps.mjs` executes the steps themselves. */
describe('what is deployed', () => {
  it.each(['compose.yml', 'compose.prod.yml'])('%s sets settings that there are, on images of one version', (path) => {
    const services = composed(path);
    for (const [name, { environment = {}, image }] of Object.entries(services)) {
      const unknown = Object.keys(environment).filter((key) => !isSetting(key) && !OTHERS.test(key));
      expect({ name, unknown }).toEqual({ name, unknown: [] });
      if (image !== undefined && !image.startsWith('vigil-')) expect(image).toMatch(/^[a-z/]+:\d+\.\d+/);
    }
  });

  it('runs the apps without rights, on a file system that they cannot write', () => {
    const { api, monitor } = composed('compose.yml');
    for (const app of [api, monitor]) expect(app).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    for (const file of ['api.Dockerfile', 'monitor.Dockerfile']) {
      const text = textOf(file);
      expect(text).toMatch(/^USER node$/m);
      expect(text).toMatch(/^HEALTHCHECK /m);
      expect(text).toMatch(/^ENTRYPOINT \["\/usr\/bin\/tini"/m);
      expect(text).not.toMatch(/:latest\b/);
    }
  });

  it('sets settings that there are in the cluster, too, and no root', () => {
    const manifests = parseAllDocuments(textOf('k8s/vigil.yml')).map((document) => {
      expect('errors' in document ? document.errors : []).toEqual([]);
      return Manifest.parse('toJS' in document ? document.toJS() : null);
    });
    const names = manifests.flatMap(({ data, stringData }) => Object.keys(data ?? stringData ?? {}));
    expect(names.length).toBeGreaterThan(4);
    expect(names.filter((name) => !isSetting(name))).toEqual([]);
    const workloads = manifests.filter(({ kind }) => ['Deployment', 'StatefulSet'].includes(kind));
    expect(workloads).toHaveLength(2);
    for (const workload of workloads) {
      expect(JSON.stringify(workload)).toContain('"runAsNonRoot":true');
      expect(JSON.stringify(workload)).toContain('"readOnlyRootFilesystem":true');
    }
  });
});
