using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Tests.Oracles;
using Cairn.Serving.Tests.Batches;
using Cairn.Serving.Tests.Gateway;
using OpenAI;
using OpenAI.Files;

#pragma warning disable OPENAI001 // The client calls its own face for batches an experiment.

namespace Cairn.Serving.Tests.Clients;

[Trait("speed", "slow")]
public sealed class The_official_clients_run_batches : IAsyncLifetime
{
    private FakeReplica _replica = null!;
    private BatchHost _host = null!;

    private static CancellationToken None => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _replica = await FakeReplica.StartAsync();
        _host = await BatchHost.StartAsync();
        _host.Gateway.Serve("tiny", _replica);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _replica.DisposeAsync();
    }

    [Fact]
    public void The_one_for_JavaScript_keeps_files()
    {
        var file = Upload("user_data", """{"purpose":"user_data","expires_after":{"anchor":"created_at","seconds":3600}}""");
        var id = file["id"]!.ToJsonString();
        Assert.Equal(3600, (long)file["expires_at"]! - (long)file["created_at"]!);
        Assert.Equal((string?)file["id"], (string?)Assert.Single(Must("files.list", "list")!.AsArray())!["id"]);
        Assert.Equal("user_data", (string?)Must("files.retrieve", null, id)!["purpose"]);
        Assert.Equal(BatchHost.Lines(3), (string?)Must("files.content", "text", id));
        Assert.True((bool)Must("files.delete", null, id)!["deleted"]!);
        Assert.Equal(("NotFoundError", 404), Refused("files.retrieve", id));
        Assert.Empty(Must("files.list", "list", """{"purpose":"batch","limit":1}""")!.AsArray());
    }

    [Fact]
    public async Task The_one_for_JavaScript_makes_lists_finds_and_cancels_batches()
    {
        var file = Upload("batch", """{"purpose":"batch"}""")["id"]!.ToJsonString();
        var wish = $$"""{"input_file_id":{{file}},"endpoint":"/v1/chat/completions","completion_window":"24h","metadata":{"a":"b"} }""";
        var made = Must("batches.create", null, wish)!;
        Assert.Equal(("validating", "b"), ((string)made["status"]!, (string)made["metadata"]!["a"]!));
        await _host.UntilAsync((string)made["id"]!, "completed");
        var done = Must("batches.retrieve", null, made["id"]!.ToJsonString())!;
        Assert.Equal((3, 3), ((int)done["request_counts"]!["total"]!, (int)done["request_counts"]!["completed"]!));
        var lines = ((string)Must("files.content", "text", done["output_file_id"]!.ToJsonString())!).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["r1", "r2", "r3"], lines.Select(line => (string)JsonNode.Parse(line)!["custom_id"]!));
        var second = Must("batches.create", null, wish)!["id"]!;
        Assert.Equal("cancelling", (string?)Must("batches.cancel", null, second.ToJsonString())!["status"]);
        await _host.UntilAsync((string)second!, "cancelled");
        Assert.Equal([(string)second!, (string)made["id"]!], Must("batches.list", "list", """{"limit":1}""")!.AsArray().Select(b => (string)b!["id"]!));
        Assert.Equal(("NotFoundError", 404), Refused("batches.retrieve", "\"batch_none\""));
        Assert.Equal(("BadRequestError", 400), Refused("batches.create", """{"input_file_id":"x","endpoint":"/v1/images","completion_window":"24h"}"""));
        Assert.Equal(("ConflictError", 409), Refused("batches.cancel", second.ToJsonString()));
    }

    [Fact]
    public async Task The_one_for_dotnet_keeps_files_and_runs_a_batch()
    {
        var client = new OpenAIClient(new ApiKeyCredential(_host.Gateway.Key.ToString()), new OpenAIClientOptions
        {
            Endpoint = new Uri(_host.Client.BaseAddress!, "/v1"), RetryPolicy = new ClientRetryPolicy(0),
        });
        var files = client.GetOpenAIFileClient();
        OpenAIFile file = await files.UploadFileAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(BatchHost.Lines(2))), "in.jsonl", FileUploadPurpose.Batch, None);
        Assert.Equal((FilePurpose.Batch, "in.jsonl"), (file.Purpose, file.Filename));
        Assert.Equal(file.Id, Assert.Single((OpenAIFileCollection)await files.GetFilesAsync(None)).Id);

        var wish = BinaryContent.Create(BinaryData.FromObjectAsJson(new { input_file_id = file.Id, endpoint = "/v1/chat/completions", completion_window = "24h" }));
        var batch = await client.GetBatchClient().CreateBatchAsync(wish, waitUntilCompleted: false);
        await _host.UntilAsync(batch.BatchId, "completed");
        await batch.UpdateStatusAsync();
        Assert.True(batch.HasCompleted);
        var shown = JsonNode.Parse((await batch.GetBatchAsync(null)).GetRawResponse().Content)!;
        var output = (await files.DownloadFileAsync((string)shown["output_file_id"]!, None)).Value.ToString();
        Assert.Equal(2, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(409, (await Assert.ThrowsAsync<ClientResultException>(() => batch.CancelAsync(null))).Status);
        Assert.True(((FileDeletionResult)await files.DeleteFileAsync(file.Id, None)).Deleted);
        Assert.Equal(404, (await Assert.ThrowsAsync<ClientResultException>(() => files.GetFileAsync(file.Id, None))).Status);
    }

    private JsonNode Upload(string name, string fields)
    {
        var path = Path.Combine(Path.GetTempPath(), $"cairn-{name}-{Guid.CreateVersion7():N}.jsonl");
        File.WriteAllText(path, BatchHost.Lines(3));
        try
        {
            return Must("files.create", "upload", JsonValue.Create(path).ToJsonString(), fields)!;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private JsonNode? Must(string method, string? mode, params string[] args)
    {
        var answer = Ask(method, mode, args);
        Assert.True(answer["error"] is null, answer.ToJsonString());
        return answer["value"];
    }

    private (string Kind, int Status) Refused(string method, string argument)
    {
        var error = Ask(method, null, [argument])["error"];
        Assert.NotNull(error);
        return ((string)error["kind"]!, (int)error["status"]!);
    }

    private JsonNode Ask(string method, string? mode, string[] args) => Oracle.Clients.AskWhole(new JsonObject
    {
        ["sdk"] = "openai", ["apiKey"] = _host.Gateway.Key.ToString(), ["baseURL"] = _host.Client.BaseAddress!.ToString().TrimEnd('/'), ["method"] = method, ["mode"] = mode,
        ["args"] = new JsonArray([.. args.Select(a => JsonNode.Parse(a))]),
    });
}
