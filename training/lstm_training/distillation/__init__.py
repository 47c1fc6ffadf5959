"""Knowledge distillation: how the bundled model comes about.

Two teachers score texts that nobody labelled; the student, a `SentimentRNN`, is pre-trained as a
language model and learns from labels and from the teachers' soft labels. Each stage is a file in
the work folder:

1. ``ngrams``: a naive-Bayes-weighted logistic regression on 1- to 3-grams scores every text.
2. ``transformer``: a small sentence encoder is fine-tuned on the labelled texts.
3. ``transformer_scores``: and scores unlabelled texts and sentences.
4. ``language_model``: the student's embedding and LSTM learn to predict the next word.
5. ``ngram_student``: the student learns from labels and from the first teacher's soft labels.
6. ``student``: two of them go on with the soft labels of both; their weights are averaged.
7. ``augmentation``: short texts that turn a word around are generated, and found in reviews.
8. ``finetuning``: two students go on from that mean, with these texts; their weights are averaged.
9. ``model``: scale and shift of its logits go into the last layer; the checkpoint to export.
"""
