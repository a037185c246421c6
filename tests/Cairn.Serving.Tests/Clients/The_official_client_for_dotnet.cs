using System.ClientModel;
using System.Text.Json.Nodes;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Responses;
using Cairn.Serving.Tests.Dialects;
using Cairn.Serving.Tests.Gateway;
using Cairn.State;
using Microsoft.AspNetCore.Http;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Responses;

#pragma warning disable OPENAI001 // The client calls its own face for responses an experiment.

namespace Cairn.Serving.Tests.Clients;

public sealed class The_official_client_for_dotnet : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-clients-").FullName;
    private Store _store = null!;
    private FakeReplica _replica = null!;
    private GatewayHost _host = null!;

    private static CancellationToken None => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = await Store.OpenAsync(new StoreOptions { Database = Path.Combine(_folder, "cairn.db") }, ServingMigrations.All, TimeProvider.System, default);
        _replica = await FakeReplica.StartAsync(AnswerAsync);
        _host = await GatewayHost.StartAsync(responses: new ResponseRows(_store, TimeProvider.System));
        _host.Serve("tiny", _replica);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _replica.DisposeAsync();
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Lists_models_chats_and_embeds()
    {
        var client = Client(_host.Key.ToString());
        Assert.Equal("tiny", Assert.Single((await client.GetOpenAIModelClient().GetModelsAsync(None)).Value).Id);
        var chat = client.GetChatClient("tiny");
        var whole = (await chat.CompleteChatAsync([new UserChatMessage("Hi")], cancellationToken: None)).Value;
        Assert.Equal(("Hello.", ChatFinishReason.Stop, 7), (whole.Content[0].Text, whole.FinishReason, whole.Usage.InputTokenCount));
        var (text, output) = ("", 0);
        await foreach (var update in chat.CompleteChatStreamingAsync([new UserChatMessage("Hi")], cancellationToken: None))
        {
            text += string.Concat(update.ContentUpdate.Select(c => c.Text));
            output = update.Usage?.OutputTokenCount ?? output;
        }
        Assert.Equal(("Hello å😀", 5), (text, output));
        var embedding = (await client.GetEmbeddingClient("tiny").GenerateEmbeddingAsync("Hi", cancellationToken: None)).Value;
        Assert.Equal([1f, -0.5f], embedding.ToFloats().ToArray());
    }

    [Fact]
    public async Task Makes_finds_and_deletes_responses()
    {
        var client = Client(_host.Key.ToString()).GetResponsesClient();
        var made = (await client.CreateResponseAsync("tiny", "Hi", cancellationToken: None)).Value;
        Assert.Equal(("Hello.", ResponseStatus.Completed, 9), (made.GetOutputText(), made.Status, made.Usage.TotalTokenCount));
        Assert.Equal("Hello.", (await client.GetResponseAsync(made.Id, None)).Value.GetOutputText());
        var next = (await client.CreateResponseAsync("tiny", "More", made.Id, None)).Value;
        Assert.Equal(made.Id, next.PreviousResponseId);
        Assert.True((await client.DeleteResponseAsync(made.Id, None)).Value.Deleted);
        Assert.Equal(404, (await Assert.ThrowsAsync<ClientResultException>(() => client.GetResponseAsync(made.Id, None))).Status);
        var kinds = new List<string>();
        await using var streaming = await client.CreateResponseStreamingAsync("tiny", "Hi", cancellationToken: None);
        ResponseResult? final = null;
        await foreach (var update in streaming.WithCancellation(None))
        {
            kinds.Add(update.GetType().Name);
            final = (update as StreamingResponseCompletedUpdate)?.Response ?? final;
        }
        Assert.Equal("Hello å😀", final!.GetOutputText());
        Assert.Equal(nameof(StreamingResponseCreatedUpdate), kinds[0]);
        Assert.Equal(nameof(StreamingResponseCompletedUpdate), kinds[^1]);
    }

    [Fact]
    public async Task Throws_with_the_status()
    {
        async Task<int> StatusAsync(string key, string model) =>
            (await Assert.ThrowsAsync<ClientResultException>(() => Client(key).GetChatClient(model).CompleteChatAsync([new UserChatMessage("Hi")], cancellationToken: None))).Status;
        Assert.Equal(404, await StatusAsync(_host.Key.ToString(), "none"));
        Assert.Equal(401, await StatusAsync("ck_wrong", "tiny"));
        _host.Limits = new KeyLimits { RequestsPerMinute = 0 };
        _host.Push();
        Assert.Equal(429, await StatusAsync(_host.Key.ToString(), "tiny"));
    }

    [Fact]
    public async Task Throws_what_is_wrong_with_a_request_in_the_gateways_words()
    {
        var wrong = await Assert.ThrowsAsync<ClientResultException>(() => Client(_host.Key.ToString()).GetChatClient("tiny")
            .CompleteChatAsync(BinaryContent.Create(BinaryData.FromString("""{"model":"tiny","messages":[],"n":-1}"""))));
        Assert.Equal(400, wrong.Status);
        Assert.Equal(("invalid_request_error", "n"), ErrorOf(wrong));
        Assert.Contains("n", wrong.Message, StringComparison.Ordinal);
        Assert.Equal(0, _host.Account.Parallel);
    }

    [Fact]
    public async Task Leaves_in_the_middle_of_a_stream_and_frees_what_it_had()
    {
        var never = new TaskCompletionSource();
        _replica.Answering = context => FakeReplica.Stream(context,
            [(Streams.Delta("""{"role":"assistant","content":"Hel"}"""), Task.CompletedTask), (Streams.Delta("""{"content":"lo"}"""), never.Task)]);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(None);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in Client(_host.Key.ToString()).GetChatClient("tiny").CompleteChatStreamingAsync([new UserChatMessage("Hi")], cancellationToken: leaving.Token))
            {
                Assert.Equal(1, _host.Account.Parallel);
                await leaving.CancelAsync();
            }
        });
        while (Volatile.Read(ref _replica.Running) > 0 || _host.Account.Parallel > 0)
            await Task.Delay(5, None);
        Assert.Equal(0, _host.Account.Reserved.Micros);
    }

    private static (string? Type, string? Param) ErrorOf(ClientResultException refused)
    {
        var error = JsonNode.Parse(refused.GetRawResponse()!.Content)!["error"]!;
        return ((string?)error["type"], (string?)error["param"]);
    }

    private OpenAIClient Client(string key) => new(new ApiKeyCredential(key), new OpenAIClientOptions
    {
        Endpoint = new Uri(_host.Client.BaseAddress!, "/v1"), RetryPolicy = new System.ClientModel.Primitives.ClientRetryPolicy(0),
    });

    private static Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Path == "/v1/embeddings")
        {
            context.Response.ContentType = "application/json";
            var base64 = Convert.ToBase64String([.. BitConverter.GetBytes(1f), .. BitConverter.GetBytes(-0.5f)]);
            return context.Response.WriteAsync($$"""{"object":"list","data":[{"object":"embedding","index":0,"embedding":"{{base64}}"}],"usage":{"prompt_tokens":1,"total_tokens":1} }""");
        }
        return context.Items["body"] is string body && (bool?)JsonNode.Parse(body)!["stream"] == true
            ? Streams.Chat(Streams.Delta("""{"role":"assistant","content":""}"""), Streams.Delta("""{"content":"Hel"}"""), Streams.Delta("""{"content":"lo å😀"}"""),
                Streams.Delta("{}", "stop"), FakeReplica.UsageChunk(7, 5))(context)
            : FakeReplica.Chat(context, "Hello.", 7, 2);
    }
}
