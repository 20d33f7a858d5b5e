from django.urls import path

from portal.pages.help import views

urlpatterns = [
    path("help/", views.index, name="help"),
    path("help/errors/<slug:code>/", views.code_page, name="help_code"),
    path("help/words/", views.words, name="help_words"),
    path("help/shortcuts/", views.keyboard, name="help_shortcuts"),
    path("help/translate/", views.translate, name="help_translate"),
]
