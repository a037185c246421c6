using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Tests.Batches;
using Cairn.Serving.Tests.Gateway;
using static Cairn.Serving.Tests.Batches.BatchHost;

namespace Cairn.Serving.Tests.Files;

public sealed class A_file
{
    [Fact]
    public async Task Comes_back_byte_for_byte_and_in_ranges()
    {
        await using var host = await StartAsync();
        var content = new byte[300_000];
        new Random(1).NextBytes(content);
        var made = await GatewayHost.JsonOf(await host.SendFileAsync(content, "user_data", "a b.bin"));
        Assert.Equal(("file", 300_000, "a b.bin", "user_data", "processed", null),
            ((string)made["object"]!, (int)made["bytes"]!, (string)made["filename"]!, (string)made["purpose"]!, (string)made["status"]!, (long?)made["expires_at"]));
        var path = $"/v1/files/{made["id"]}";
        Assert.True(JsonNode.DeepEquals(made, await GatewayHost.JsonOf(await host.Client.GetAsync(path))));
        var whole = await host.Client.GetAsync(path + "/content");
        Assert.Equal(content, await whole.Content.ReadAsByteArrayAsync());
        Assert.Equal(("application/octet-stream", "attachment"), (whole.Content.Headers.ContentType!.MediaType, whole.Content.Headers.ContentDisposition!.DispositionType));
        using var request = new HttpRequestMessage(HttpMethod.Get, path + "/content") { Headers = { Range = new RangeHeaderValue(100, 199) } };
        var part = await host.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(content[100..200], await part.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Is_removed_with_its_content_and_takes_no_other_with_it()
    {
        await using var host = await StartAsync();
        var (one, two) = (await host.UploadAsync("same", "user_data", "a"), await host.UploadAsync("same", "user_data", "b"));
        var deleted = await GatewayHost.JsonOf(await host.Client.DeleteAsync($"/v1/files/{one["id"]}"));
        Assert.Equal(((string)one["id"]!, "file", true), ((string)deleted["id"]!, (string)deleted["object"]!, (bool)deleted["deleted"]!));
        await host.Shelf.SweepAsync(TestContext.Current.CancellationToken);
        foreach (var what in new[] { "", "/content" })
            Assert.Equal(HttpStatusCode.NotFound, (await host.Client.GetAsync($"/v1/files/{one["id"]}{what}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await host.Client.DeleteAsync($"/v1/files/{one["id"]}")).StatusCode);
        Assert.Equal("same", await host.Client.GetStringAsync($"/v1/files/{two["id"]}/content"));
        Assert.Single(Directory.GetFiles(host.Blobs, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Ends_when_its_client_or_its_purpose_says()
    {
        await using var host = await StartAsync();
        var soon = await host.UploadAsync("x", "user_data", "a", ("expires_after[anchor]", "created_at"), ("expires_after[seconds]", "3600"));
        var batch = await host.UploadAsync("x");
        var stays = await host.UploadAsync("x", "assistants", "a");
        Assert.Equal((3600L, 30 * 86400L, null), ((long)soon["expires_at"]! - (long)soon["created_at"]!, (long)batch["expires_at"]! - (long)batch["created_at"]!, (long?)stays["expires_at"]));
        host.Time.Ahead = TimeSpan.FromHours(1);
        Assert.Equal(HttpStatusCode.NotFound, (await host.Client.GetAsync($"/v1/files/{soon["id"]}")).StatusCode);
        host.Time.Ahead = TimeSpan.FromDays(31);
        await host.Shelf.SweepAsync(TestContext.Current.CancellationToken);
        Assert.Single(Directory.GetFiles(host.Blobs, "*", SearchOption.AllDirectories));
        Assert.Equal("x", await host.Client.GetStringAsync($"/v1/files/{stays["id"]}/content"));
    }

    [Fact]
    public async Task Is_listed_by_purpose_order_and_page()
    {
        await using var host = await StartAsync();
        var ids = new List<string>();
        for (var i = 0; i < 4; i++)
            ids.Add((string)(await host.UploadAsync("x", i == 1 ? "batch" : "evals"))["id"]!);
        Assert.Equal($"{ids[3]} {ids[2]} {ids[1]} {ids[0]} false", await ListAsync(""));
        Assert.Equal($"{ids[0]} {ids[1]} true", await ListAsync("?order=asc&limit=2"));
        Assert.Equal($"{ids[2]} {ids[3]} false", await ListAsync($"?order=asc&limit=2&after={ids[1]}"));
        Assert.Equal($"{ids[1]} false", await ListAsync("?purpose=batch"));
        foreach (var wrong in new[] { "limit=0", "limit=10001", "limit=x", "order=up" })
            Assert.Equal(HttpStatusCode.BadRequest, (await host.Client.GetAsync("/v1/files?" + wrong)).StatusCode);

        async Task<string> ListAsync(string query)
        {
            var page = await GatewayHost.JsonOf(await host.Client.GetAsync("/v1/files" + query));
            return string.Join(' ', page["data"]!.AsArray().Select(f => (string)f!["id"]!).Append(page["has_more"]!.ToJsonString()));
        }
    }

    [Theory]
    [InlineData("secret", "a.txt", "purpose")]
    [InlineData(null, "a.txt", "purpose")]
    [InlineData("batch", "a.txt", "file")]
    [InlineData("user_data", "a\u0001b", "file")]
    public async Task Is_refused_with_the_parameter_at_fault(string? purpose, string name, string param)
    {
        await using var host = await StartAsync();
        await RefusedAsync(await host.SendFileAsync([1], purpose, name), 400, param);
    }

    [Fact]
    public async Task Is_refused_where_the_form_is_none()
    {
        await using var host = await StartAsync();
        await RefusedAsync(await host.Gateway.PostAsync("/v1/files", "{}"), 400, null);
        await RefusedAsync(await host.Client.PostAsync("/v1/files", new MultipartFormDataContent { { new StringContent("user_data"), "purpose" } }), 400, "file");
        var broken = new StringContent("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc");
        broken.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");
        await RefusedAsync(await host.Client.PostAsync("/v1/files", broken), 400, null);
        await RefusedAsync(await host.SendFileAsync([1], "user_data", "a", ("expires_after[anchor]", "created_at"), ("expires_after[seconds]", "5")), 400, "expires_after.seconds");
        Assert.Empty(Directory.GetFiles(host.Blobs, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Is_refused_where_it_is_too_large_or_its_project_is_full()
    {
        await using var host = await StartAsync((files, _) => (files.MostBytes, files.MostBytesPerProject, files.MostPerProject) = (1000, 1500, 3));
        await RefusedAsync(await host.SendFileAsync(new byte[1001], "user_data", "a"), 413, "file");
        await host.UploadAsync(new string('x', 1000), "user_data", "a");
        await RefusedAsync(await host.SendFileAsync(new byte[501], "user_data", "a"), 400, "file", "storage_limit_exceeded");
        await host.UploadAsync("x", "user_data", "a");
        var last = await host.UploadAsync("x", "user_data", "a");
        await RefusedAsync(await host.SendFileAsync(new byte[1], "user_data", "a"), 400, "file", "storage_limit_exceeded");
        await host.Client.DeleteAsync($"/v1/files/{last["id"]}");
        await host.UploadAsync("x", "user_data", "a");
    }

    [Fact]
    public async Task Is_seen_by_its_project_alone()
    {
        await using var host = await StartAsync();
        var made = await host.UploadAsync("x");
        var now = DateTimeOffset.UnixEpoch.AddYears(56);
        var other = ApiKey.New(now);
        host.Gateway.OtherKeys.Add(new GatewayKey { Id = other.Id, Name = "other", SecretHash = other.SecretHash(), Project = ProjectId.New(now) });
        host.Gateway.Push();
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", other.ToString());
        Assert.Empty((await GatewayHost.JsonOf(await host.Client.GetAsync("/v1/files")))["data"]!.AsArray());
        foreach (var what in new[] { "", "/content" })
            Assert.Equal(HttpStatusCode.NotFound, (await host.Client.GetAsync($"/v1/files/{made["id"]}{what}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await host.Client.DeleteAsync($"/v1/files/{made["id"]}")).StatusCode);
        host.Client.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.SendFileAsync([1], "user_data", "a")).StatusCode);
    }

    [Fact]
    public async Task And_its_rows_being_away_is_an_outage_in_OpenAIs_words()
    {
        await using var host = await StartAsync();
        var made = await host.UploadAsync("x");
        await host.Store.DisposeAsync();
        foreach (var path in new[] { "/v1/files", $"/v1/files/{made["id"]}", "/v1/batches", "/v1/batches/batch_1" })
        {
            var answer = await host.Client.GetAsync(path);
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "server_error"), (answer.StatusCode, (string?)(await GatewayHost.JsonOf(answer))["error"]!["type"]));
            Assert.NotNull(answer.Headers.RetryAfter);
        }
    }

    private static async Task RefusedAsync(HttpResponseMessage answer, int status, string? param, string? code = null)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == status, $"{(int)answer.StatusCode}: {text}");
        var error = JsonNode.Parse(text)!["error"]!;
        Assert.Equal(("invalid_request_error", param), ((string?)error["type"], (string?)error["param"]));
        if (code is not null)
            Assert.Equal(code, (string?)error["code"]);
    }
}
