"""The recipe of the bundled model: two teachers, a language model, a student that learns from them.

Stages, each a file of its own and an output in the work folder:

1. ``ngrams``: a naive-Bayes-weighted logistic regression on 1- to 3-grams scores every text.
2. ``transformer``: a small sentence encoder, fine-tuned on the labelled texts, scores every text.
3. ``language_model``: the student's embedding and LSTM learn to predict the next word.
4. ``rehearsal``: the `SentimentRNN` learns from labels and from the first teacher's scores.
5. ``student``: two of them go on with the teachers' blended scores; their weights are averaged.
6. ``drills``: short texts that turn a word around are written out, and found in reviews.
7. ``finish``: two students go on from that mean, with the drills; their weights are averaged.
8. ``model``: scale and shift of its logits go into the last layer; the checkpoint to export.
"""
