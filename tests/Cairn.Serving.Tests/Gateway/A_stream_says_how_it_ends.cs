using System.Text;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Tests.Gateway;

public sealed class A_stream_says_how_it_ends
{
    private const string Error = """{"error":{"message":"out of memory","type":"server_error","code":null}}""";

    [Theory]
    [InlineData("data: [DONE]\n\n", ApiDialect.OpenAi, nameof(StreamSign.End))]
    [InlineData("data:[DONE]\r\n\r\n", ApiDialect.OpenAi, nameof(StreamSign.End))]
    [InlineData("data: {\"choices\":[{\"delta\":{\"content\":\"[DONE]\"}}]}\n\n", ApiDialect.OpenAi, nameof(StreamSign.Part))]
    [InlineData("data: {\"choices\":[{\"delta\":{\"content\":\"\\n\\ndata: [DONE]\\n\\n\"}}]}\n\n", ApiDialect.OpenAi, nameof(StreamSign.Part))]
    [InlineData("data: [DONE] and more\n\n", ApiDialect.OpenAi, nameof(StreamSign.Part))]
    [InlineData("data: " + Error + "\n\n", ApiDialect.OpenAi, nameof(StreamSign.Error))]
    [InlineData("data: {\"error\":null,\"choices\":[]}\n\n", ApiDialect.OpenAi, nameof(StreamSign.Part))]
    [InlineData("data: {\"choices\":[{\"delta\":{\"content\":\"error\"}}]}\n\n", ApiDialect.OpenAi, nameof(StreamSign.Part))]
    [InlineData(": keep-alive [DONE]\n\n", ApiDialect.OpenAi, nameof(StreamSign.Ping))]
    [InlineData("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", ApiDialect.Anthropic, nameof(StreamSign.End))]
    [InlineData("data: {\"type\":\"message_stop\"}\n\n", ApiDialect.Anthropic, nameof(StreamSign.End))]
    [InlineData("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"message_stop\"}}\n\n", ApiDialect.Anthropic, nameof(StreamSign.Part))]
    [InlineData("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n", ApiDialect.Anthropic, nameof(StreamSign.Error))]
    [InlineData("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"error\"}}\n\n", ApiDialect.Anthropic, nameof(StreamSign.Part))]
    public void By_an_event_of_its_own_and_never_by_words_of_its_text(string one, ApiDialect dialect, string expected) =>
        Assert.Equal(expected, StreamSigns.Read(Encoding.UTF8.GetBytes(one), dialect).ToString());

    [Fact]
    public async Task And_one_that_only_speaks_of_the_end_broke_off()
    {
        await using var replica = await FakeReplica.StartAsync(context => FakeReplica.Stream(context, [(FakeReplica.Chunk("[DONE]"), Task.CompletedTask)]));
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var events = await EventsAsync(host);
        Assert.Equal("data: " + FakeReplica.Chunk("[DONE]"), events[0]);
        Assert.Contains("stream_interrupted", events[1], StringComparison.Ordinal);
        Assert.Equal(2, events.Length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_replicas_own_error_is_told_once_and_counts_as_its_failure(bool done)
    {
        string[] data = done ? [FakeReplica.Chunk("half"), Error, "[DONE]"] : [FakeReplica.Chunk("half"), Error];
        await using var replica = await FakeReplica.StartAsync(context => FakeReplica.Stream(context, data.Select(d => (d, Task.CompletedTask))));
        await using var host = await GatewayHost.StartAsync();
        var route = host.Serve("tiny", replica);
        Assert.Equal(data.Select(d => "data: " + d), await EventsAsync(host));
        var endpoint = ((PoolTarget)route.Targets[0]).Endpoint;
        await A_request_survives.UntilAsync(() => host.Gateway.Activities.HealthOf(endpoint, 1) is { Requests: 1, Failures: 1 });
    }

    [Fact]
    public async Task What_only_keeps_the_connection_alive_is_not_paid_for()
    {
        await using var replica = await FakeReplica.StartAsync(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($": ping\n\ndata: {FakeReplica.Chunk("a")}\n\n: ping\n\ndata: [DONE]\n\n"));
        });
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        Assert.Equal(4, (await EventsAsync(host)).Length);
        Assert.Equal(1, (await host.BookedAsync()).Sum.OutputTokens);
    }

    private static async Task<string[]> EventsAsync(GatewayHost host)
    {
        using var response = await host.StreamAsync("tiny");
        return (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
    }
}
