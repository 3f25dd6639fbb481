// Shows what the hub pushes, tells it that it came, and opens the page on a tap.
// It keeps nothing and answers no request of the page.
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('push', (event) => event.waitUntil(show(read(event))));

function read(event) {
  try {
    return event.data.json();
  } catch {
    return { title: 'Safehold', body: event.data ? event.data.text() : '' };
  }
}

async function show(said) {
  await self.registration.showNotification(String(said.title || 'Safehold'), {
    body: String(said.body || ''),
    icon: '/icon.svg',
    badge: '/icon.svg',
    // The same notice again takes the place of the first one.
    tag: said.id || 'safehold',
    renotify: true,
    requireInteraction: Boolean(said.urgent),
    vibrate: said.urgent ? [400, 150, 400, 150, 400] : [150],
    data: said,
  });
  if (!said.id) return;
  // Nothing is lost if it fails: the hub escalates what nobody acknowledges.
  await fetch('/api/v1/acts/notice.arrived', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ notice_id: said.id, channel: said.channel }),
  }).catch(() => undefined);
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open());
});

async function open() {
  const windows = await self.clients.matchAll({ type: 'window' });
  for (const one of windows) {
    if ('focus' in one) return one.focus();
  }
  return self.clients.openWindow('/notices');
}
