from django.urls import path

from portal.pages.approvals import views

urlpatterns = [
    path("approvals/", views.approvals, name="approvals"),
    path("approvals/link/", views.approvals_link, name="approvals_link"),
    path("approvals/smaller/", views.accept_shrinkage, name="accept_shrinkage"),
    path("approvals/requests/<int:pk>/", views.decide_request, name="decide_request"),
    path("approvals/requests/<int:pk>/withdraw/", views.withdraw_request, name="withdraw_request"),
    path("approvals/<int:pk>/", views.approval, name="approval"),
    path("approvals/<int:pk>/export/", views.approval_export, name="approval_export"),
]
