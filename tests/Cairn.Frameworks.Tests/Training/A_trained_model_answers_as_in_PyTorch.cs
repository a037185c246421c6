namespace Cairn.Frameworks.Tests.Training;

/// <summary>What examples/train-tiny-lm exports is what it trained.</summary>
[Trait("speed", "slow")]
[Collection(Trained_model.Name)]
public sealed class A_trained_model_answers_as_in_PyTorch(TrainedModel model)
{
    // Single precision, summed in another order: seen 3e-6.
    private const float Tolerance = 1e-3f;
    private const int Most = 48;

    [Fact]
    public async Task With_the_same_logits_and_the_same_greedy_tokens_in_ONNX_Runtime()
    {
        var folder = await model.FolderAsync();
        var answers = await model.AskAsync(TrainedModel.Prompts, Most);
        using var decoder = new BareDecoder(folder);
        var worst = 0f;
        foreach (var (prompt, torch) in TrainedModel.Prompts.Zip(answers))
        {
            worst = decoder.Logits(prompt).Zip(torch.Logits).Max(pair => Math.Max(worst, Math.Abs(pair.First - pair.Second)));
            Assert.Equal(torch.Greedy, decoder.Greedy(prompt, torch.Greedy.Length, TrainedModel.Ends));
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"largest difference of a logit: {worst:g3}");
        Assert.InRange(worst, 0, Tolerance);
        // Logits that say nothing would agree as well.
        Assert.All(answers, answer => Assert.True(answer.Logits.Max() - answer.Logits.Min() > 1));
    }
}
