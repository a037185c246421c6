using System.Text;
using System.Text.Json;

namespace Cairn.Frameworks.Tests.Training;

/// <summary>
/// A model that examples/train-tiny-lm trains for a few steps with real PyTorch when a test first asks for it, and PyTorch to ask about it.
/// </summary>
public sealed class TrainedModel : IDisposable
{
    // Enough for the logits to differ from an untrained model's by far.
    private const int Steps = 30;
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-trained-").FullName;
    private readonly Lazy<Task<string>> _trained;

    public TrainedModel() => _trained = new Lazy<Task<string>>(TrainAsync);

    /// <summary>Prompts of one token, of text, of a conversation, and nearly as long as the context.</summary>
    internal static IReadOnlyList<int[]> Prompts { get; } =
    [
        Bytes("T"),
        Bytes("This program is free software; you can redistribute it and/or modify it under the terms"),
        [257, .. Bytes("Finish the sentence."), 260, 258, .. Bytes("You may not use"), 260, 259],
        Bytes(string.Concat(Enumerable.Repeat("The licence says nothing of rotation. ", 6))),
    ];

    /// <summary>End of text and end of turn.</summary>
    internal static IReadOnlyList<int> Ends { get; } = [256, 260];

    /// <summary>What a job would hand back as its output <c>model</c>.</summary>
    internal Task<string> FolderAsync() => _trained.Value;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>PyTorch's logits after each prompt, and what greedy decoding says next.</summary>
    internal async Task<IReadOnlyList<TorchAnswer>> AskAsync(IReadOnlyList<int[]> prompts, int most)
    {
        await FolderAsync();
        var ran = await ProgramRun.OfAsync(
            RealEngines.Python, ["predict.py", "model", $"{most}"], _folder, JsonSerializer.Serialize(prompts));
        Assert.True(ran.Code == 0, ran.Errors);
        return JsonSerializer.Deserialize<TorchAnswer[]>(ran.Out, s_json)!;
    }

    private async Task<string> TrainAsync()
    {
        await RealEngines.InstallAsync("install-engines.sh", "torch");
        foreach (var file in Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "examples", "train-tiny-lm"), "*.py"))
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        var ran = await ProgramRun.OfAsync(RealEngines.Python, ["train.py"], _folder, environment: new Dictionary<string, string>
        {
            ["STEPS"] = $"{Steps}",
            // A world of one: any free port will do.
            ["MASTER_ADDR"] = "127.0.0.1",
            ["MASTER_PORT"] = "0",
            ["OMP_NUM_THREADS"] = "1",
            ["OPENBLAS_NUM_THREADS"] = "1",
        });
        Assert.True(ran.Code == 0, ran.Errors);
        return Path.Combine(_folder, "model");
    }

    private static int[] Bytes(string text) => Array.ConvertAll(Encoding.UTF8.GetBytes(text), b => (int)b);
}

/// <summary>What PyTorch says of one prompt.</summary>
internal sealed record TorchAnswer(float[] Logits, int[] Greedy);

/// <summary>Classes that share one trained model.</summary>
[CollectionDefinition(Name)]
public sealed class Trained_model : ICollectionFixture<TrainedModel>
{
    public const string Name = "trained model";
}
