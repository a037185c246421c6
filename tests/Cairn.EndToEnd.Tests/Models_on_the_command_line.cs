using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>The catalogue of models and its fit, without and with a server.</summary>
[Trait("speed", "slow")]
public sealed class Models_on_the_command_line(OneUp shared) : IClassFixture<OneUp>, IDisposable
{
    private readonly TemporaryHome _alone = new();

    [Fact]
    public async Task Every_offer_is_a_place_with_its_price_or_out_with_its_reason()
    {
        var fit = (await _alone.Cli.RunAsync("models", "fit", "llama-3.3-70b", "--slo", "ttft=1s,tpot=60ms", "--json")).Succeeded().Json;
        var places = fit.GetProperty("offers").EnumerateArray().ToList();
        Assert.NotEmpty(places);
        Assert.Equal(places.Select(RequestPrice).Order(), places.Select(RequestPrice));
        Assert.All(places, place =>
        {
            var speed = place.GetProperty("speed");
            Assert.InRange(speed.GetProperty("seconds_per_token").GetDouble(), 0.001, 0.060);
            Assert.InRange(speed.GetProperty("seconds_to_first_token").GetDouble(), 0.001, 1);
            Assert.True(place.GetProperty("usd_per_million_output_tokens").GetDouble() > 0);
        });
        Assert.All(fit.GetProperty("rejected").EnumerateArray(), rejected => Assert.True(rejected.GetProperty("reasons").GetArrayLength() > 0));

        // 1,024 tokens in and 256 out are the default request.
        static double RequestPrice(JsonElement place) => Math.Round(
            1024 * place.GetProperty("usd_per_million_input_tokens").GetDouble() + 256 * place.GetProperty("usd_per_million_output_tokens").GetDouble(), 6);
    }

    [Fact]
    public async Task A_server_is_asked_for_its_offers()
    {
        var alone = (await _alone.Cli.RunAsync("models", "fit", "qwen3-32b", "--json")).Succeeded().Json;
        var served = (await shared.Up.Cli.RunAsync("models", "fit", "qwen3-32b", "--json")).Succeeded().Json;
        Assert.Equal(Cheapest(alone), Cheapest(served));

        static string? Cheapest(JsonElement fit) => fit.GetProperty("offers")[0].GetProperty("offer").GetProperty("id").GetString();
    }

    [Fact]
    public async Task A_model_that_fits_nowhere_is_refused_and_an_unknown_one_gets_the_nearest()
    {
        var large = await _alone.Cli.RunAsync("models", "fit", "kimi-k2", "--gpu", "T4");
        Assert.Equal(4, large.ExitCode);
        Assert.Contains("fp8 with 1 sequence of 1,280 tokens needs", large.Out, StringComparison.Ordinal);
        var unknown = await _alone.Cli.RunAsync("models", "show", "lama-3.1-8b");
        Assert.Equal(3, unknown.ExitCode);
        Assert.Contains("Did you mean llama-3.1-8b", unknown.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_that_is_wrong_is_said_at_once()
    {
        var wrong = await _alone.Cli.RunAsync(
            "models", "fit", "llama-3.1-8b", "--slo", "ttft=soon", "--precision", "int5", "--kv", "int4", "--context", "10", "--concurrency", "0",
            "--memory-share", "2", "--top", "0", "--machines", "0");
        Assert.Equal(2, wrong.ExitCode);
        Assert.Empty(wrong.Out);
        string[] expected = ["ttft=soon", "int5", "int4", "10 tokens", "concurrency is 0", "memory share is 2", "--top is 0", "--machines is 0"];
        Assert.All(expected, words => Assert.Contains(words, wrong.Error, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_shell_completes_a_models_name()
    {
        var line = "cairn models show gpt-o";
        var completed = await _alone.Cli.RunAsync($"[suggest:{line.Length}]", line);
        Assert.Equal(["gpt-oss-120b", "gpt-oss-20b"], completed.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
    }

    public void Dispose() => _alone.Dispose();
}
