using System.Text;

namespace Cairn.Frameworks.Tests.Training;

/// <summary>What examples/train-tiny-lm exports is what it trained.</summary>
[Trait("speed", "slow")]
public sealed class A_trained_model_answers_as_in_PyTorch(TrainedModel model) : IClassFixture<TrainedModel>
{
    // Single precision, summed in another order: seen 3e-6.
    private const float Tolerance = 1e-3f;
    private const int Most = 48;
    private static readonly int[] s_ends = [256, 260];

    private static readonly IReadOnlyList<int[]> s_prompts =
    [
        Bytes("T"),
        Bytes("This program is free software; you can redistribute it and/or modify it under the terms"),
        [257, .. Bytes("Finish the sentence."), 260, 258, .. Bytes("You may not use"), 260, 259],
        Bytes(string.Concat(Enumerable.Repeat("The licence says nothing of rotation. ", 6))),
    ];

    [Fact]
    public async Task With_the_same_logits_and_the_same_greedy_tokens_in_ONNX_Runtime()
    {
        var answers = await model.AskAsync(s_prompts, Most);
        using var decoder = new BareDecoder(model.Folder);
        var worst = 0f;
        foreach (var (prompt, torch) in s_prompts.Zip(answers))
        {
            worst = decoder.Logits(prompt).Zip(torch.Logits).Max(pair => Math.Max(worst, Math.Abs(pair.First - pair.Second)));
            Assert.Equal(torch.Greedy, decoder.Greedy(prompt, torch.Greedy.Length, s_ends));
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"largest difference of a logit: {worst:g3}");
        Assert.InRange(worst, 0, Tolerance);
        // Logits that say nothing would agree as well.
        Assert.All(answers, answer => Assert.True(answer.Logits.Max() - answer.Logits.Min() > 1));
    }

    private static int[] Bytes(string text) => Array.ConvertAll(Encoding.UTF8.GetBytes(text), b => (int)b);
}
