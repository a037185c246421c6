using System.Net;
using System.Text.Json;
using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.Gguf;
using Cairn.Frameworks.Recipes.Serving;
using Cairn.Frameworks.Tests.Training;
using Cairn.State.Tests;

namespace Cairn.Frameworks.Tests.LlamaCpp;

/// <summary>The same weights in llama.cpp, which shares no code with PyTorch, ONNX Runtime or Cairn.</summary>
[Trait("speed", "slow")]
[Collection(Trained_model.Name)]
public sealed class Llama_cpp_runs_a_trained_model(TrainedModel model)
{
    // Single precision, summed in another order: seen 4e-6.
    private const double Tolerance = 1e-3;
    private const int Most = 48, Likeliest = 5;

    [Fact]
    public async Task With_PyTorchs_greedy_tokens_and_probabilities()
    {
        using var file = new GgufOf(await model.FolderAsync(), GgufType.F32);
        var answers = await model.AskAsync(TrainedModel.Prompts, Most);
        await using var server = await LlamaServer.StartAsync(
            "-m", file.Path, "-t", "1", "-np", "1", "-ctk", "f32", "-ctv", "f32", "-fa", "off", "--no-warmup");
        var worst = 0.0;
        foreach (var (prompt, torch) in TrainedModel.Prompts.Zip(answers))
        {
            var answer = await CompleteAsync(server, prompt);
            var said = answer.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt32()).Where(NotEnd);
            Assert.Equal(torch.Greedy.Where(NotEnd), said);
            var likeliest = answer.GetProperty("completion_probabilities")[0].GetProperty("top_logprobs");
            worst = Math.Max(worst, Difference(torch.Logits, likeliest));
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"largest difference of a log-probability: {worst:g3}");
        Assert.InRange(worst, 0, Tolerance);
    }

    [Fact]
    public async Task In_four_bits_as_the_serving_recipe_starts_watches_and_ends_it()
    {
        using var file = new GgufOf(await model.FolderAsync(), GgufType.Q4Block32);
        var recipe = ServingRecipes.LlamaCpp;
        var rendering = recipe.Render(new ServingStart
        {
            Model = file.Path, Port = FreePorts.Next(), Name = "tiny", Precision = WeightPrecision.Int4, UsesAccelerators = false, Context = 256,
            Sequences = 2, Threads = 1,
        });
        var command = Assert.IsType<ServingRendering.Run>(rendering).Command;
        await using var server = await LlamaServer.RunAsync(command.Arguments, command.Environment);
        Assert.Equal(HttpStatusCode.OK, (HttpStatusCode)command.ReadyStatus);
        await server.GetAsync(command.ReadyUrl);

        var text = await server.PostAsync("completion", new { prompt = "The licence", n_predict = 8, temperature = 0, ignore_eos = true });
        Assert.Equal(8, text.GetProperty("tokens_predicted").GetInt32());

        var chat = await server.PostAsync("v1/chat/completions", new
        {
            messages = new[] { new { role = "user", content = "You may not use" } }, max_tokens = 8, temperature = 0,
        });
        Assert.Equal("assistant", chat.GetProperty("choices")[0].GetProperty("message").GetProperty("role").GetString());
        // The template makes 15 bytes of content and three special tokens of it.
        Assert.Equal(18, chat.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());

        Assert.Equal("tiny", chat.GetProperty("model").GetString());

        var metrics = await server.GetAsync(command.MetricsUrl!);
        string?[] names = [recipe.Metrics!.Running, recipe.Metrics.Waiting, recipe.Metrics.PromptTokens, recipe.Metrics.GeneratedTokens];
        Assert.All(names, name => Assert.Matches($@"(?m)^{name} \d", metrics));
        Assert.Equal("SIGTERM", recipe.Drain.Signal);
        Assert.Equal(0, await server.StopAsync(TimeSpan.FromSeconds(recipe.Drain.GraceSeconds)));
    }

    private static Task<JsonElement> CompleteAsync(LlamaServer server, int[] prompt) => server.PostAsync("completion", new
    {
        prompt, n_predict = Most, temperature = 0, cache_prompt = false, return_tokens = true, n_probs = Likeliest,
    });

    private static bool NotEnd(int token) => !TrainedModel.Ends.Contains(token);

    private static double Difference(float[] logits, JsonElement likeliest)
    {
        var total = Math.Log(logits.Sum(logit => Math.Exp(logit)));
        Assert.Equal(Likeliest, likeliest.GetArrayLength());
        return likeliest.EnumerateArray().Max(one =>
            Math.Abs(logits[one.GetProperty("id").GetInt32()] - total - one.GetProperty("logprob").GetDouble()));
    }

    private sealed class GgufOf : IDisposable
    {
        public GgufOf(string folder, GgufType type) =>
            LlamaFolder.Convert(folder, Path, type, TestContext.Current.CancellationToken);

        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }
}
