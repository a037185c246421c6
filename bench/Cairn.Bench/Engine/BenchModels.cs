using Cairn.Frameworks.Gguf;
using Cairn.Frameworks.Onnx.Decoders;

namespace Cairn.Bench.Engine;

/// <summary>The decoders that are measured, with random weights; made once and kept where temporary files lie.</summary>
internal static class BenchModels
{
    private const int Seed = 1;

    /// <summary>124.7 million parameters, int4, with the operators that onnxruntime-genai's model builder fuses.</summary>
    public static string Large() => Kept("cairn-bench-124m-int4-packed", folder =>
        DecoderFolder.Write(folder, DecoderShape.Bench with { Fused = true }, precision: DecoderPrecision.Int4, weights: RandomWeights.Seeded(Seed)));

    /// <summary>The sizes of what examples/train-tiny-lm trains.</summary>
    public static string Tiny() => Kept("cairn-bench-tiny-fp32", folder => DecoderFolder.Write(folder, new DecoderShape
    {
        Vocabulary = 264, Hidden = 192, Layers = 3, Heads = 6, KeyValueHeads = 2, HeadSize = 32, Intermediate = 384, Context = 256,
    }));

    /// <summary>Three million parameters: a prompt of 1,500 tokens takes one core a fifth of a second, so that two cores hold four engines.</summary>
    public static string ForPrefixes() => Kept("cairn-bench-3m-fp32", folder => DecoderFolder.Write(folder, new DecoderShape
    {
        Vocabulary = 264, Hidden = 256, Layers = 4, Heads = 8, KeyValueHeads = 2, HeadSize = 32, Intermediate = 704, Context = 2048,
    }));

    /// <summary>The weights of <see cref="Large"/> for llama.cpp: Q4_0, which is int4 in blocks of 32 too.</summary>
    public static string LargeForLlama()
    {
        var vocabulary = GgufVocabulary.Read(Large(), DecoderShape.Bench.Vocabulary);
        return Path.Combine(Kept("cairn-bench-124m-q4_0", folder => LlamaGguf.Write(
            Path.Combine(folder, "model.gguf"), DecoderShape.Bench, RandomWeights.Seeded(Seed), vocabulary, GgufType.Q4Block32)), "model.gguf");
    }

    /// <summary>A prompt that no other number's shares a beginning with, of tokens that are neither bytes nor special.</summary>
    public static int[] Prompt(int number, int tokens)
    {
        var random = new Random(number);
        return [.. Enumerable.Range(0, tokens).Select(_ => random.Next(1_000, DecoderShape.Bench.Vocabulary))];
    }

    private static string Kept(string name, Action<string> write)
    {
        var folder = Path.Combine(Path.GetTempPath(), name);
        if (Directory.Exists(folder))
            return folder;
        var making = Directory.CreateTempSubdirectory(name + "-").FullName;
        Console.WriteLine($"  makes {folder} (once)");
        write(making);
        Directory.Move(making, folder);
        return folder;
    }
}
