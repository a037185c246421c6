using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Tests.Oracles;

namespace Cairn.EndToEnd.Tests;

/// <summary>The whole road of a model: a job trains and exports it, it is fetched, quantised, served, and OpenAI's own client talks to it.</summary>
[Trait("speed", "slow")]
public sealed class A_trained_model_answers
{
    private const string Prompt = "This program is free software; you can redistribute it";

    [Fact]
    public async Task Through_the_official_client_streamed_and_not_in_fp32_and_in_int4()
    {
        await InstallTorchAsync();
        await using var up = await CairnUp.StartAsync();
        var (fp32, int4) = await TrainAsync(up);
        await using var engine = await CairnEngine.StartAsync(up.Cli, fp32, int4);
        Assert.Equal(["fp32", "int4"], engine.Ready.GetProperty("models").EnumerateArray().Select(m => m.Text("precision")).Order());

        var listed = Ask(engine, "models.list", null, "list").AsArray();
        Assert.Equal(["fp32", "int4"], listed.Select(model => (string)model!["id"]!).Order());
        foreach (var model in new[] { "fp32", "int4" })
        {
            Completes(engine, model);
            Chats(engine, model);
        }
    }

    private static async Task<(string Fp32, string Int4)> TrainAsync(CairnUp up)
    {
        var example = Path.Combine(CairnProgram.Root, "examples", "train-tiny-lm");
        foreach (var file in Directory.EnumerateFiles(example))
            up.WriteFile("train/" + Path.GetFileName(file), await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        var workload = Path.Combine(up.Folder, "train", "local.yaml");
        var text = await File.ReadAllTextAsync(workload, TestContext.Current.CancellationToken);
        Assert.Contains("STEPS: \"200\"", text, StringComparison.Ordinal);
        up.WriteFile("train/local.yaml", text.Replace("STEPS: \"200\"", "STEPS: \"20\"", StringComparison.Ordinal));
        await up.GrantAsync(10);
        (await up.Cli.RunAsync("run", workload, "--yes", "-d")).Succeeded();
        await up.UntilPhaseAsync("train-tiny-lm", "succeeded");
        var (fp32, int4) = (Path.Combine(up.Folder, "fp32"), Path.Combine(up.Folder, "int4"));
        (await up.Cli.RunAsync("output", "train-tiny-lm", "model", "--to", fp32)).Succeeded();
        var report = (await up.Cli.RunAsync("models", "quantize", fp32, int4, "--to", "int4", "--json")).Succeeded().Json;
        Assert.InRange(report.GetProperty("bytes_after").GetInt64(), 1, report.GetProperty("bytes_before").GetInt64() / 3);
        return (fp32, int4);
    }

    private static void Completes(CairnEngine engine, string model)
    {
        var body = new JsonObject { ["model"] = model, ["prompt"] = Prompt, ["max_tokens"] = 40, ["temperature"] = 0 };
        var whole = Ask(engine, "completions.create", body, "whole");
        var text = (string)whole["choices"]![0]!["text"]!;
        Assert.Equal(Prompt.Length, (int)whole["usage"]!["prompt_tokens"]!);
        Assert.NotEmpty(text);

        body["stream_options"] = new JsonObject { ["include_usage"] = true };
        var chunks = Ask(engine, "completions.create", body, "stream").AsArray();
        Assert.Equal(text, string.Concat(chunks.SelectMany(chunk => chunk!["choices"]!.AsArray()).Select(c => (string)c!["text"]!)));
        Assert.Equal(whole["usage"]!["completion_tokens"]!.ToJsonString(), chunks[^1]!["usage"]!["completion_tokens"]!.ToJsonString());
    }

    private static void Chats(CairnEngine engine, string model)
    {
        var body = new JsonObject
        {
            ["model"] = model, ["max_tokens"] = 40, ["temperature"] = 0,
            ["messages"] = new JsonArray(
                new JsonObject { ["role"] = "system", ["content"] = "Finish the sentence." },
                new JsonObject { ["role"] = "user", ["content"] = "You may not use" }),
        };
        var whole = Ask(engine, "chat.completions.create", body, "whole");
        var said = whole["choices"]![0]!;
        Assert.Equal("assistant", (string)said["message"]!["role"]!);
        Assert.Contains((string)said["finish_reason"]!, new[] { "stop", "length" });
        var chunks = Ask(engine, "chat.completions.create", body, "stream").AsArray();
        Assert.Equal((string)said["message"]!["content"]!,
            string.Concat(chunks.SelectMany(chunk => chunk!["choices"]!.AsArray()).Select(c => (string?)c!["delta"]!["content"])));
        var assembled = Ask(engine, "chat.completions.create", body, "helper");
        Assert.Equal((string)said["message"]!["content"]!, (string)assembled["choices"]![0]!["message"]!["content"]!);
    }

    private static JsonNode Ask(CairnEngine engine, string method, JsonObject? body, string mode)
    {
        var answer = Oracle.OpenAiClient.AskWhole(new JsonObject
        {
            ["baseURL"] = engine.Address + "/v1", ["method"] = method, ["body"] = body?.DeepClone(), ["mode"] = mode, ["abortAfter"] = 0,
        });
        Assert.Null(answer["error"]?.ToJsonString());
        return answer["value"]!;
    }

    private static async Task InstallTorchAsync()
    {
        var script = Path.Combine(CairnProgram.Root, "eng", "install-engines.sh");
        using var process = Process.Start(new ProcessStartInfo(script, ["torch"])
        {
            RedirectStandardError = true, StandardErrorEncoding = Encoding.UTF8,
        })!;
        var why = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.SkipWhen(process.ExitCode != 0 && Environment.GetEnvironmentVariable("CI") != "true", why);
        Assert.True(process.ExitCode == 0, why);
    }
}
