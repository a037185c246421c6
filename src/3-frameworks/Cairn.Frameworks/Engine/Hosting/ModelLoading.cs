using Cairn.Frameworks.Engine.Embedding;

namespace Cairn.Frameworks.Engine.Hosting;

/// <summary>Loads a folder as the kind of model that it holds.</summary>
internal static class ModelLoading
{
    /// <exception cref="ModelLoadException">The folder does not hold a model that can be loaded.</exception>
    public static async Task<ServedModel> LoadAsync(ModelSource source, TimeProvider time, CancellationToken cancellationToken) =>
        EncoderFolder.Find(source.Folder) is { } encoder
            // Loading blocks in native code for as long as the model is large.
            ? await Task.Run<ServedModel>(() => LoadEncoder(encoder, source, time), cancellationToken)
            : await ServedLanguageModel.LoadAsync(source, time, cancellationToken);

    private static ServedModel LoadEncoder(EncoderFolder encoder, ModelSource source, TimeProvider time) =>
        encoder.Kind == EncoderKind.Reranker
        ? ServedReranker.Load(encoder, source, time)
        : ServedEmbeddingModel.Load(encoder, source, time);
}
