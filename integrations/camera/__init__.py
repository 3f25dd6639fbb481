"""Cameras: ONVIF, ISAPI, RTSP, MJPEG and snapshots; health judged from pictures."""
