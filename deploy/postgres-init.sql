-- Rasa's working memory is its own; nobody else opens it.
CREATE DATABASE rasa OWNER desk;
