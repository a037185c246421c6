using System.Text.Json.Nodes;
using Cairn.Frameworks.ChatTemplates;
using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Quantizing;
using Cairn.Frameworks.Sampling;
using Cairn.Frameworks.Tokenizing;

namespace Cairn.Frameworks.Tests.Training;

/// <summary>The engine that serves a trained model, against the PyTorch that trained it.</summary>
[Trait("speed", "slow")]
[Collection(Trained_model.Name)]
public sealed class Cairns_engine_runs_a_trained_model(TrainedModel model)
{
    // Single precision, summed in another order: seen 2e-6.
    private const float Tolerance = 1e-3f;
    private const int Most = 48;

    [Fact]
    public async Task With_PyTorchs_logits()
    {
        var worst = await WorstAsync(await model.FolderAsync(), LargestDifference);
        TestContext.Current.TestOutputHelper?.WriteLine($"largest difference of a logit: {worst:g3}");
        Assert.InRange(worst, 0, Tolerance);
    }

    [Fact]
    public async Task With_PyTorchs_greedy_tokens_for_all_prompts_at_once()
    {
        var answers = await model.AskAsync(TrainedModel.Prompts, Most);
        await using var engine = LanguageModel.Load(await model.FolderAsync(), Options(rows: 3), TimeProvider.System);
        Assert.Equal(TrainedModel.Ends.Order(), engine.EndTokens.Order());

        // Twice over three rows: prompts wait, join running ones, and the second time begin from what the first left.
        var prompts = TrainedModel.Prompts.Concat(TrainedModel.Prompts).ToList();
        var said = await Task.WhenAll(prompts.Select(prompt => GenerateAsync(engine, prompt)));
        Assert.Equal(answers.Concat(answers).Select(a => string.Join(' ', a.Greedy.Except(TrainedModel.Ends))),
            said.Select(tokens => string.Join(' ', tokens.Except(TrainedModel.Ends))));
    }

    [Theory]
    [InlineData(QuantizeTarget.Float16, 0.001)]
    [InlineData(QuantizeTarget.Int8, 0.01)]
    [InlineData(QuantizeTarget.Int4, 0.05)]
    public async Task With_nearly_PyTorchs_logits_when_quantised(QuantizeTarget target, double tolerance)
    {
        var folder = Directory.CreateTempSubdirectory("cairn-quantised-").FullName;
        try
        {
            var output = Path.Combine(folder, "model");
            ModelQuantizer.Quantize(await model.FolderAsync(), output, new QuantizeOptions { Target = target }, TimeProvider.System, null,
                TestContext.Current.CancellationToken);
            var worst = await WorstAsync(output, RelativeError);
            TestContext.Current.TestOutputHelper?.WriteLine($"{target}: largest relative error of a prompt's logits: {worst:p2}");
            Assert.InRange(worst, 0, tolerance);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task With_one_token_for_each_byte_and_the_special_ones()
    {
        var tokenizer = Tokenizer.Load(await model.FolderAsync());
        Assert.Equal(264, tokenizer.VocabularySize);
        Assert.Equal([258, 'Y', 'o', 'u', 0xE2, 0x82, 0xAC, 260, 259], tokenizer.Encode("<|user|>You€<|end|><|assistant|>"));
        Assert.Equal("You €\n", tokenizer.Decode([258, 'Y', 'o', 'u', ' ', 0xE2, 0x82, 0xAC, '\n', 260]));
    }

    [Fact]
    public async Task With_its_chat_template_as_it_was_trained_on()
    {
        var folder = await model.FolderAsync();
        var template = ChatTemplate.Load(folder)!;
        var text = template.Render(Conversation("system", "Finish the sentence.", "user", "You may not use"), DateTimeOffset.UnixEpoch);
        Assert.Equal(TrainedModel.Prompts[2], Tokenizer.Load(folder).Encode(text));
        var refusal = Assert.Throws<ChatTemplateException>(() => template.Render(Conversation("tool", "3"), DateTimeOffset.UnixEpoch));
        Assert.Contains("The roles are system, user and assistant, not tool.", refusal.Message, StringComparison.Ordinal);
    }

    private static JsonObject Conversation(params string[] rolesAndTexts) => new()
    {
        ["messages"] = new JsonArray([.. rolesAndTexts.Chunk(2).Select(pair => (JsonNode)new JsonObject
        {
            ["role"] = pair[0], ["content"] = pair[1],
        })]),
        ["add_generation_prompt"] = true,
    };

    private static EngineOptions Options(int rows) => new() { Rows = rows, Threads = 1 };

    private static async Task<List<int>> GenerateAsync(LanguageModel engine, int[] prompt)
    {
        var request = new GenerationRequest { Prompt = prompt, MaximumTokens = Most, Sampling = new SamplingSpec { Temperature = 0 } };
        var generation = engine.Start(request, TestContext.Current.CancellationToken);
        var said = new List<int>();
        await foreach (var piece in generation.ReadAllAsync(TestContext.Current.CancellationToken))
            said.AddRange(piece.Tokens.Select(token => token.Token));
        return said;
    }

    private async Task<double> WorstAsync(string folder, Func<float[], float[], double> difference)
    {
        var answers = await model.AskAsync(TrainedModel.Prompts, 1);
        using var decoder = LoadedDecoder.Load(folder, Options(rows: 1), TimeProvider.System).Decoder;
        var worst = 0.0;
        foreach (var (prompt, torch) in TrainedModel.Prompts.Zip(answers))
        {
            worst = Math.Max(worst, difference(decoder.Prefill(0, prompt, 0).ToArray(), torch.Logits));
            decoder.Empty(0);
        }

        return worst;
    }

    private static double LargestDifference(float[] logits, float[] torch) =>
        logits.Zip(torch).Max(pair => Math.Abs(pair.First - pair.Second));

    private static double RelativeError(float[] logits, float[] torch) =>
        Math.Sqrt(logits.Zip(torch).Sum(p => Math.Pow(p.First - p.Second, 2)) / torch.Sum(logit => logit * logit));
}
