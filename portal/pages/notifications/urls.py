from django.urls import path

from portal.pages.notifications import views

urlpatterns = [
    path("notifications/", views.notifications, name="notifications"),
    path("notifications/sent/", views.deliveries, name="deliveries"),
    path("notifications/channels/add/<slug:kind>/", views.channel_add, name="channel_add"),
    path("notifications/channels/<int:pk>/", views.channel, name="channel"),
    path("notifications/channels/<int:pk>/test/", views.channel_test, name="channel_test"),
    path("notifications/channels/<int:pk>/remove/", views.channel_remove, name="channel_remove"),
]
