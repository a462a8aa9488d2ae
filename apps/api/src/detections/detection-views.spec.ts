import { FactEnvelope, type VideoOpened } from '#libs/contracts/facts.js';
import { DetectionView } from '#libs/contracts/sockets.js';
import { goldenFixture } from '#libs/testing/golden-fixtures.js';
import { DetectionEntity } from './detection.entity.js';
import { DetectionViews } from './detection-views.js';
import { EvidenceLinks } from './evidence-links.js';

describe('DetectionViews', () => {
  const links = new EvidenceLinks('secret');
  const views = new DetectionViews(links);
  const { fact } = FactEnvelope.parse(goldenFixture('facts', 'FactEnvelope'));
  const golden = DetectionView.parse(goldenFixture('sockets', 'detection'));

  function entity(opened: VideoOpened): DetectionEntity {
    return Object.assign(new DetectionEntity(), opened, {
      id: opened.eventId,
      seq: golden.seq,
      frameWidth: opened.frame.width,
      frameHeight: opened.frame.height,
      startedAt: new Date(opened.startedAt),
      detectedAt: new Date(opened.detectedAt),
      endedAt: null,
      quote: null,
      segmentId: null,
      chat: null,
      frames: null,
      keep: false,
    });
  }

  it('shows the golden fact as the golden event', () => {
    const view = views.of({ detection: entity(fact as VideoOpened), streamName: 'door' });
    expect({ ...view, imageUrl: golden.imageUrl }).toEqual(golden);
  });

  it('links to the image with a signature that holds for this detection and one hour', () => {
    const { imageUrl } = views.of({ detection: entity(fact as VideoOpened), streamName: 'door' });
    const url = new URL(imageUrl ?? '', 'http://x');
    expect(url.pathname).toBe(`/api/detections/${golden.id}/image`);
    const [expires, signature] = [Number(url.searchParams.get('expires')), url.searchParams.get('signature') ?? ''];
    const link = { expiresAt: expires, signature };
    expect(links.isValid(golden.id, 'image', link, expires - 3_600_000)).toBe(true);
    expect(links.isValid(golden.id, 'image', link, expires)).toBe(false);
    expect(links.isValid(golden.id, 'clip', link, 0)).toBe(false);
    expect(links.isValid('0b9d5c0e-7e55-5b1f-9b0e-2f6f2a1f7c12', 'image', link, 0)).toBe(false);
  });

  it('has no link where no image was kept', () => {
    const shed = entity({ ...(fact as VideoOpened), evidenceKey: null });
    expect(views.of({ detection: shed, streamName: 'door' }).imageUrl).toBeNull();
  });
});
