"""A short and silent training on the CPU."""

import pytorch_lightning as pl
from torch.utils.data import DataLoader, TensorDataset


def fit(model, data, batch, epochs=1, precision="32-true"):
    loader = DataLoader(TensorDataset(data.inputs, data.labels), batch_size=batch)
    parts = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    silent = dict.fromkeys(parts, False)
    trainer = pl.Trainer(max_epochs=epochs, accelerator="cpu", devices=1, precision=precision, **silent)
    trainer.fit(model.train(), loader, loader)
    return trainer
