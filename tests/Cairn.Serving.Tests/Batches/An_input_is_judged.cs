using System.Text;
using System.Text.Json.Nodes;
using Cairn.Serving.Batches;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Tests.Gateway;
using static Cairn.Serving.Tests.Batches.BatchHost;

namespace Cairn.Serving.Tests.Batches;

public sealed class An_input_is_judged
{
    private const string Good = """{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"tiny"}}""";

    [Theory]
    [InlineData("", "empty_file", null, null)]
    [InlineData("\n \r\n\n", "empty_file", null, null)]
    [InlineData("nonsense", "invalid_json_line", null, 1)]
    [InlineData(Good + "\n[1]", "invalid_json_line", null, 2)]
    [InlineData(Good + "\n\n" + Good, "duplicate_custom_id", "custom_id", 3)]
    [InlineData("""{"method":"POST","url":"/v1/chat/completions","body":{"model":"tiny"}}""", "missing_required_parameter", "custom_id", 1)]
    [InlineData("""{"custom_id":7,"method":"POST","url":"/v1/chat/completions","body":{"model":"tiny"}}""", "missing_required_parameter", "custom_id", 1)]
    [InlineData("""{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"tiny"}}""", "missing_required_parameter", "method", 1)]
    [InlineData("""{"custom_id":"a","method":"GET","url":"/v1/chat/completions","body":{"model":"tiny"}}""", "invalid_method", "method", 1)]
    [InlineData("""{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"model":"tiny"}}""", "invalid_url", "url", 1)]
    [InlineData("""{"custom_id":"a","method":"POST","url":"/v1/chat/completions"}""", "missing_required_parameter", "body", 1)]
    [InlineData("""{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}""", "missing_required_parameter", "body.model", 1)]
    [InlineData(Good + "\n" + """{"custom_id":"b","method":"POST","url":"/v1/chat/completions","body":{"model":"other"}}""", "mismatched_model", "body.model", 2)]
    [InlineData("""{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"none"}}""", "model_not_found", "body.model", 1)]
    [InlineData("""{"custom_id":"\ud800","method":"POST","url":"/v1/chat/completions","body":{"model":"tiny"}}""", "invalid_json_line", null, 1)]
    public async Task With_the_line_at_fault(string input, string code, string? param, int? line)
    {
        var error = Assert.Single(await ErrorsOf(Encoding.UTF8.GetBytes(input)));
        Assert.Equal((code, param, line), (error.Code, error.Param, error.Line));
    }

    [Fact]
    public async Task And_refused_beyond_its_bounds()
    {
        var many = Encoding.UTF8.GetBytes(Lines(11));
        Assert.Equal([("too_many_tasks", 11)], (await ErrorsOf(many)).Select(e => (e.Code, e.Line!.Value)));
        var wide = Encoding.UTF8.GetBytes(Line("a") + Line("b", text: new string('x', 5000)) + Line("c"));
        Assert.Equal([("line_too_large", 2)], (await ErrorsOf(wide)).Select(e => (e.Code, e.Line!.Value)));
        // The last line has no end.
        Assert.Equal([("line_too_large", 1)], (await ErrorsOf(Encoding.UTF8.GetBytes(Line("a", text: new string('x', 500_000)).TrimEnd()))).Select(e => (e.Code, e.Line!.Value)));
    }

    [Fact]
    public async Task Byte_by_byte_as_at_once()
    {
        var text = "\ufeff" + Line("a") + "\n" + Line("b", text: "å😀") + Line("c").TrimEnd();
        var lines = new List<InputLine>();
        await foreach (var line in BatchInput.ReadAsync(new Trickle(Encoding.UTF8.GetBytes(text)), 4096, TestContext.Current.CancellationToken))
            lines.Add(line);
        Assert.Equal([(1, "a"), (3, "b"), (4, "c")], lines.Select(l => (l.Number, BatchLine.Parse(l, "/v1/chat/completions").Line!.CustomId)));
    }

    [Fact]
    public async Task And_a_batch_of_a_wrong_one_fails_before_anything_runs()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await StartAsync();
        host.Gateway.Serve("tiny", replica);
        var batch = await host.UntilAsync(await host.MakeAsync(Line("a") + "nonsense\n" + Line("a")), "failed");
        Assert.Equal(("list", 2), ((string)batch["errors"]!["object"]!, batch["errors"]!["data"]!.AsArray().Count));
        Assert.Equal("""{"code":"invalid_json_line","message":"This line is not parseable as valid JSON.","param":null,"line":2}""", batch["errors"]!["data"]![0]!.ToJsonString());
        Assert.Equal((0, null), ((int)batch["request_counts"]!["total"]!, (string?)batch["output_file_id"]));
        Assert.NotNull((JsonNode?)batch["failed_at"]);
        Assert.Empty(replica.Asked);
    }

    private static async Task<IReadOnlyList<BatchError>> ErrorsOf(byte[] input)
    {
        var check = new BatchCheck("/v1/chat/completions", 10, model => model == "none" ? CallError.NoModel(model) : null);
        await foreach (var line in BatchInput.ReadAsync(new MemoryStream(input), 4096, TestContext.Current.CancellationToken))
        {
            if (!check.Take(line))
                break;
        }
        return check.End();
    }

    /// <summary>Gives a byte at a time.</summary>
    private sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => base.ReadAsync(buffer[..1], cancellationToken);
    }
}
