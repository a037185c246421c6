using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace Cairn.EndToEnd.Tests;

/// <summary>One <c>cairn up</c> that costs money, for tests that do not disturb each other.</summary>
public sealed class OneUp : IAsyncLifetime
{
    internal CairnUp Up { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Up = await CairnUp.StartAsync("--price", "36", "--name", "desk");
        await Up.GrantAsync(100_000);
    }

    public ValueTask DisposeAsync() => Up.DisposeAsync();
}

/// <summary>Whatever is wrong with a request, it is said where and why, with the exit code or status that scripts rely on; and nothing
/// else happens.</summary>
[Trait("speed", "slow")]
public sealed class Bad_input_changes_nothing(OneUp shared) : IClassFixture<OneUp>
{
    private CairnUp Up => shared.Up;

    /// <summary>Files that are wrong, and the position that the first error must name.</summary>
    public static TheoryData<string, string, string> BadFiles => new()
    {
        { "a field that is not known", "name: x\nrun: echo\nresorces: {cpus: 1}\n", ":3:1: " },
        { "a wrong type", "name: x\nrun: echo\nnodes: many\n", ":3:8: " },
        { "a value out of its range", "name: x\nrun: echo\nnodes: 0\n", ":3:8: " },
        { "a bad size", "run: echo\nresources:\n  memory: lots\n", ":3:11: " },
        { "a doubled key", "name: x\nrun: echo\nname: y\n", ":3:1: " },
        { "a name that is none", "name: Not A Name\nrun: echo\n", ":1:7: " },
        { "an unclosed list", "name: x\nrun: [echo\n", ":" },
        { "a tab that indents", "run: echo\nresources:\n\tcpus: 1\n", ":3:" },
        { "no mapping at all", "just words\n", ":1:1: " },
        { "an anchor that explodes", Explosion(), ":" },
        { "a path that leaves the folder", "run: echo\noutputs:\n  - {name: o, path: ../../etc}\n", ":3:" },
        { "a secret's value", "run: echo\nsecrets: {TOKEN: hunter2}\n", ":2:" },
        { "a variable of Cairn's own", "run: echo\nenv: {CAIRN_RANK: 1}\n", ":2:" },
        { "a step that nobody has", "steps:\n  a: {run: echo, needs: [b]}\n", ":2:" },
        { "a circle", "steps:\n  a: {run: echo, needs: [b]}\n  b: {run: echo, needs: [a]}\n", ":" },
        { "nesting without end", "run: echo\nlabels: " + new string('[', 20_000) + "\n", ":2:" },
        { "bytes that are no text", "run: \"\\uD800\"\nname: [\n", ":" },
    };

    [Theory]
    [MemberData(nameof(BadFiles))]
    public async Task A_malformed_file_is_refused_with_its_position_by_the_command_line_and_by_the_server(string what, string text,
        string position)
    {
        var before = await StateAsync();
        var file = Up.WriteFile("bad.yaml", text);
        var run = await Up.Cli.RunAsync("run", file, "--yes");
        Assert.True(run.ExitCode == 2, $"{what}: {run.ExitCode} {run.Error}");
        Assert.Contains("bad.yaml" + position, run.Error.Replace("\n", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Empty(run.Out);

        using var client = Up.NewClient();
        using var response = await PostJobAsync(client, new { workload = text, file_name = "bad.yaml" });
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var problem = await ProblemAsync(response);
        Assert.Equal("invalid_workload", problem.Text("code"));
        Assert.Contains("bad.yaml" + position, problem.ToString(), StringComparison.Ordinal);
        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task Limits_of_files_and_batches_are_checked_before_a_server_starts_and_every_mistake_is_told()
    {
        using var home = new TemporaryHome();
        var refused = await home.Cli.RunAsync("server", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--data", Path.Combine(home.Cli.Home, "data"), "--batch-lines", "0", "--batch-discount", "101",
            "--batch-kept", "NaN", "--batch-input-size", "lots", "--file-size", "2GiB", "--files-size", "1GiB", "--files", "-1", "--spool", Path.Combine(home.Cli.Home, "absent"));
        Assert.Equal(2, refused.ExitCode);
        foreach (var flag in new[] { "--batch-lines", "--batch-discount", "--batch-kept", "--batch-input-size", "--files-size", "--files)", "--spool" })
            Assert.Contains(flag, refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(home.Cli.Home, "data")));
    }

    [Fact]
    public async Task Every_error_of_a_file_is_named_at_once_with_the_nearest_right_word()
    {
        var file = Up.WriteFile("many.yaml", "name: x\nrun: echo\nresorces: {cpus: 1}\nnodes: none\nwhere: {regoins: [us-east-1]}\n");
        var plan = await Up.Cli.RunAsync("plan", file);
        Assert.Equal(2, plan.ExitCode);
        foreach (var expected in new[] { "many.yaml:3:1", "resources", "many.yaml:4:8", "many.yaml:5:9", "regions" })
            Assert.Contains(expected, plan.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_too_long_or_not_there_is_a_usage_error()
    {
        var file = Up.WriteFile("long.yaml", "run: echo\n# " + new string('x', 1 << 20) + "\n");
        Assert.Equal(2, (await Up.Cli.RunAsync("run", file, "--yes")).ExitCode);
        Assert.Equal(2, (await Up.Cli.RunAsync("run", Up.Folder, "--yes")).ExitCode);
        Assert.Equal(2, (await Up.Cli.RunAsync("run", "/nowhere/at/all.yaml", "--yes")).ExitCode);
        using var client = Up.NewClient();
        using var response = await PostJobAsync(client, new { workload = "run: echo\n# " + new string('x', 2 << 20) });
        Assert.True((int)response.StatusCode is 400 or 413, response.StatusCode.ToString());
        // A client that waits to be told to send, however long the server takes to say no.
        using var patient = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(4) }) { BaseAddress = client.BaseAddress };
        patient.DefaultRequestHeaders.Authorization = client.DefaultRequestHeaders.Authorization;
        patient.DefaultRequestHeaders.ExpectContinue = true;
        using var huge = await patient.PostAsync("jobs", new StringContent(new string(' ', 20 << 20), Encoding.UTF8, "application/json"),
            Ct);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, huge.StatusCode);
        Assert.Equal("too_large", (await ProblemAsync(huge)).Text("code"));
    }

    [Fact]
    public async Task Requests_that_are_no_requests_get_a_problem_and_not_a_crash()
    {
        var before = await StateAsync();
        using var client = Up.NewClient();
        foreach (var body in new[] { "", "{", "[]", "\"x\"", "null", "{}", "{\"workload\": 7}",
            "{\"workload\": \"run: echo\", \"env\": []}" })
        {
            using var response = await client.PostAsync("jobs", new StringContent(body, Encoding.UTF8, "application/json"), Ct);
            Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"'{body}' got {(int)response.StatusCode}");
            Assert.Equal("invalid_request", (await ProblemAsync(response)).Text("code"));
        }

        foreach (var query in new[] { "jobs?phase=runing", "jobs?limit=0", "jobs?limit=1001", "jobs?limit=x", "jobs?cursor=zzz",
            "jobs?since=yesterday", "bill?by=colour", "bill?from=2026-13-01", "nodes?health=fine", "offers?model=cloudy" })
        {
            using var response = await client.GetAsync(query, Ct);
            Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{query} got {(int)response.StatusCode}");
            Assert.NotEmpty((await ProblemAsync(response)).Text("code"));
        }

        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task Exit_codes_say_what_was_wrong()
    {
        var file = Up.WriteFile("fine.yaml", "name: fine\nrun: echo fine\n");
        Assert.Equal(3, (await Up.Cli.RunAsync("job", "nobody")).ExitCode);
        Assert.Equal(3, (await Up.Cli.RunAsync("node", "nobody")).ExitCode);
        Assert.Equal(3, (await Up.Cli.RunAsync("logs", "nobody")).ExitCode);
        Assert.Equal(3, (await Up.Cli.RunAsync("stop", "nobody")).ExitCode);
        Assert.Equal(3, (await Up.Cli.RunAsync("wait", "nobody")).ExitCode);
        Assert.Equal(3, (await Up.Cli.RunAsync("output", "nobody", "model")).ExitCode);
        Assert.Equal(3, (await Up.Cli.RunAsync("bill", "nobody")).ExitCode);
        Assert.Equal(3, (await Up.Cli.RunAsync("jobs", "--project", "nobody")).ExitCode);
        Assert.Equal(2, (await Up.Cli.RunAsync("jobs", "--phase", "runing")).ExitCode);
        Assert.Equal(2, (await Up.Cli.RunAsync("frobnicate")).ExitCode);
        Assert.Equal(2, (await Up.Cli.RunAsync("run", file, "--yes", "--env", "=x")).ExitCode);
        Assert.Equal(2, (await Up.Cli.RunAsync("run", file)).ExitCode);
        Assert.Equal(5, (await Up.Cli.RunAsync("jobs", "--server", $"http://127.0.0.1:{CairnProgram.FreePort()}")).ExitCode);
        Assert.Equal(6, (await Up.Cli.RunWithAsync([("CAIRN_KEY", "ck_wrong")], "jobs")).ExitCode);
        Assert.Equal(6, (await Up.Cli.RunWithAsync([("CAIRN_KEY", Up.AdminKey()[..^2] + "zz")], "jobs")).ExitCode);

        var away = await Up.Cli.RunAsync("run", file, "--yes", "--at", "Atlantis");
        Assert.Equal(4, away.ExitCode);
        Assert.Contains("error:", away.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_funds_nothing_runs_and_the_words_say_what_is_missing()
    {
        (await Up.Cli.RunAsync("projects", "create", "poor")).Succeeded();
        var before = await StateAsync();
        var file = Up.WriteFile("dear.yaml", "name: dear\nrun: echo dear\n");
        var refused = await Up.Cli.RunAsync("run", file, "--yes", "--project", "poor");
        Assert.Equal(4, refused.ExitCode);
        Assert.Matches(@"\$0\.00 available and this needs \$\d", refused.Error);
        Assert.Contains("cairn projects grant", refused.Error, StringComparison.Ordinal);
        using var client = Up.NewClient();
        using var response = await PostJobAsync(client, new { workload = "run: echo\n" }, "jobs?project=poor");
        Assert.Equal(HttpStatusCode.PaymentRequired, response.StatusCode);
        Assert.Equal("insufficient_funds", (await ProblemAsync(response)).Text("code"));
        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task A_name_that_is_taken_is_refused_where_the_person_insists_on_it()
    {
        var file = Up.WriteFile("taken.yaml", "name: taken\nresources: {cpus: 0.1}\nrun: sleep 300\n");
        (await Up.Cli.RunAsync("run", file, "--yes", "-d", "--name", "mine")).Succeeded();
        var again = await Up.Cli.RunAsync("run", file, "--yes", "-d", "--name", "mine");
        Assert.Equal(4, again.ExitCode);
        Assert.Contains("'mine'", again.Error, StringComparison.Ordinal);

        // The file's own name is only a wish: a second job gets a suffix.
        var first = (await Up.Cli.RunAsync("run", file, "--yes", "-d")).Succeeded().Out.Trim();
        var second = (await Up.Cli.RunAsync("run", file, "--yes", "-d")).Succeeded().Out.Trim();
        Assert.Equal("taken", first);
        Assert.StartsWith("taken-", second, StringComparison.Ordinal);
        foreach (var job in new[] { "mine", first, second })
        {
            (await Up.Cli.RunAsync("stop", job, "--grace", "0")).Succeeded();
            await Up.UntilPhaseAsync(job, "stopped");
        }
    }

    [Fact]
    public async Task An_idempotency_key_has_one_effect()
    {
        using var client = Up.NewClient();
        client.DefaultRequestHeaders.Add("Idempotency-Key", "once-only");
        var request = new { workload = "name: once\nresources: {cpus: 0.1}\nrun: echo once\n" };
        using var first = await PostJobAsync(client, request);
        using var second = await PostJobAsync(client, request);
        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (first.StatusCode, second.StatusCode));
        Assert.Equal((await ProblemAsync(first)).Text("id"), (await ProblemAsync(second)).Text("id"));
        Assert.True(second.Headers.Contains("Idempotent-Replayed"));
        using var other = await PostJobAsync(client, new { workload = "name: other\nrun: echo other\n" });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
        Assert.Equal("idempotency_mismatch", (await ProblemAsync(other)).Text("code"));
        Assert.Single((await Up.GetAsync("jobs?name=once")).List("items"));

        // A grant is money: the same key grants once, also when the requests race.
        var before = (await Up.GetAsync("projects/default/balance")).Decimal("granted");
        using var grants = Up.NewClient();
        grants.DefaultRequestHeaders.Add("Idempotency-Key", "grant-only");
        var racing = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => grants.PostAsJsonAsync("projects/default/credits",
            new { amount = 5 }, Ct)));
        Assert.All(racing, response => Assert.True(response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Conflict,
            response.StatusCode.ToString()));
        Assert.Equal(before + 5, (await Up.GetAsync("projects/default/balance")).Decimal("granted"));
        await Up.UntilPhaseAsync("once", "succeeded");
    }

    [Fact]
    public async Task Roles_and_projects_keep_people_apart()
    {
        (await Up.Cli.RunAsync("projects", "create", "lab")).Succeeded();
        var viewer = await NewKeyAsync("eyes", "viewer", "default");
        var member = await NewKeyAsync("hands", "member", "lab");
        var file = Up.WriteFile("ours.yaml", "name: ours\nresources: {cpus: 0.1}\nrun: echo ours\noutputs: [{name: o, path: run.txt}]\n");
        (await Up.Cli.RunAsync("run", file, "--yes", "-d")).Succeeded();
        var id = (await Up.UntilPhaseAsync("ours", "succeeded")).Text("id");

        Assert.Equal(0, (await Up.Cli.RunWithAsync([("CAIRN_KEY", viewer)], "job", "ours")).ExitCode);
        Assert.Equal(6, (await Up.Cli.RunWithAsync([("CAIRN_KEY", viewer)], "run", file, "--yes")).ExitCode);
        Assert.Equal(6, (await Up.Cli.RunWithAsync([("CAIRN_KEY", viewer)], "stop", "ours")).ExitCode);
        Assert.Equal(6, (await Up.Cli.RunWithAsync([("CAIRN_KEY", viewer)], "keys")).ExitCode);

        // Another project's job is not there, by name or by id, in any way of asking.
        using var client = Up.NewClient(member);
        foreach (var path in new[] { $"jobs/{id}", "jobs/ours", $"jobs/{id}/logs", $"jobs/{id}/events", $"jobs/{id}/wait",
            $"jobs/{id}/invoice", $"jobs/{id}/outputs", $"jobs/{id}/outputs/o", $"jobs/{id}/outputs/o.tar", "jobs?project=default",
            "projects/default/balance" })
        {
            using var response = await client.GetAsync(path, Ct);
            Assert.True(response.StatusCode == HttpStatusCode.NotFound, $"{path} got {(int)response.StatusCode}");
        }

        using var stop = await client.PostAsJsonAsync($"jobs/{id}/stop", new { }, Ct);
        Assert.Equal(HttpStatusCode.NotFound, stop.StatusCode);
        Assert.Empty((await client.GetFromJsonAsync<JsonElement>("jobs", Ct)).List("items"));
        foreach (var path in new[] { "nodes/desk/cordon", "join-tokens", "keys", "projects", "projects/lab/credits" })
        {
            using var response = await client.PostAsJsonAsync(path, new { name = "x", amount = 1 }, Ct);
            Assert.True(response.StatusCode == HttpStatusCode.Forbidden, $"{path} got {(int)response.StatusCode}");
        }

        // A revoked key is useless at once.
        var keys = (await Up.Cli.RunAsync("keys", "--json")).Succeeded().Json;
        var key = keys.EnumerateArray().Single(k => k.Text("name") == "eyes").Text("id");
        (await Up.Cli.RunAsync("keys", "revoke", key)).Succeeded();
        Assert.Equal(6, (await Up.Cli.RunWithAsync([("CAIRN_KEY", viewer)], "jobs")).ExitCode);
        using var nobody = new HttpClient();
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync(Up.Address + "/api/v1/jobs", Ct)).StatusCode);
    }

    [Fact]
    public async Task Pages_hold_every_job_once()
    {
        using var client = Up.NewClient();
        for (var i = 0; i < 7; i++)
        {
            using var response = await PostJobAsync(client, new { workload = $"name: page-{i}\nresources: {{cpus: 0.1}}\nrun: 'true'\n" });
            response.EnsureSuccessStatusCode();
        }

        var seen = new List<string>();
        var path = "jobs?name=page-&limit=3";
        for (string? cursor = null; ;)
        {
            var page = await Up.GetAsync(cursor is null ? path : $"{path}&cursor={cursor}");
            Assert.InRange(page.List("items").Count, 1, 3);
            seen.AddRange(page.List("items").ConvertAll(job => job.Text("name")));
            if (!page.TryGetProperty("next_cursor", out var next))
                break;
            cursor = next.GetString();
        }

        Assert.Equal(Enumerable.Range(0, 7).Reverse().Select(i => $"page-{i}"), seen);
        Assert.Equal(7, (await Up.Cli.RunAsync("jobs", "--name", "page-", "--json")).Succeeded().Json.GetArrayLength());
        for (var i = 0; i < 7; i++)
            await Up.UntilPhaseAsync($"page-{i}", "succeeded");
    }

    [Fact]
    public async Task Contents_are_what_their_name_says_and_lie_nowhere_else()
    {
        var before = await StateAsync();
        using var client = Up.NewClient();
        var content = Encoding.UTF8.GetBytes("not what it says");
        var wrong = Convert.ToHexStringLower(SHA256.HashData("something else"u8));
        foreach (var name in new[] { wrong, "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "ABC", wrong.ToUpperInvariant(), wrong + "0" })
        {
            using var body = new ByteArrayContent(content);
            using var response = await client.PutAsync("blobs/" + name, body, Ct);
            Assert.True((int)response.StatusCode is 400 or 404 or 405, $"{name} got {(int)response.StatusCode}");
            using var read = await client.GetAsync("blobs/" + name, Ct);
            Assert.True((int)read.StatusCode is 400 or 404, $"{name} was read with {(int)read.StatusCode}");
        }

        foreach (var path in new[] { "../escape", "/etc/passwd", "a/../../b", "", "a//b", "a\0b" })
        {
            var manifest = new { files = new[] { new { path, hash = wrong, size_bytes = 1, mode = 420 } } };
            using var response = await PostJobAsync(client, new { workload = "run: echo\nworkdir: .\n", workdir = manifest });
            Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"'{path}' got {(int)response.StatusCode}");
        }

        var link = new { files = new[] { new { path = "link", hash = "", size_bytes = 0, mode = 511, link_target = "../../etc/passwd" } } };
        using var linked = await PostJobAsync(client, new { workload = "run: echo\nworkdir: .\n", workdir = link });
        Assert.Equal(HttpStatusCode.BadRequest, linked.StatusCode);
        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task A_working_directory_does_not_lead_out_of_itself()
    {
        Up.WriteFile("leaky/leak.yaml", "name: leak\nworkdir: .\nrun: cat link\n");
        File.CreateSymbolicLink(Path.Combine(Up.Folder, "leaky", "link"), "/etc/passwd");
        var result = await Up.Cli.RunAsync("run", Path.Combine(Up.Folder, "leaky", "leak.yaml"), "--yes");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("link", result.Error, StringComparison.Ordinal);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static string Explosion()
    {
        var text = new StringBuilder("run: echo\nx-0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 12; i++)
            text.Append($"x-{i}: &a{i} [").AppendJoin(", ", Enumerable.Repeat($"*a{i - 1}", 10)).Append("]\n");
        return text.Append("labels: *a11\n").ToString();
    }

    private static Task<HttpResponseMessage> PostJobAsync<T>(HttpClient client, T request, string path = "jobs") =>
        client.PostAsJsonAsync(path, request, Ct);

    private static async Task<JsonElement> ProblemAsync(HttpResponseMessage response) =>
        await response.Content.ReadFromJsonAsync<JsonElement>(Ct);

    private async Task<string> NewKeyAsync(string name, string role, string project) =>
        (await Up.Cli.RunAsync("keys", "create", name, "--role", role, "--in", project, "--json")).Succeeded().Json.Text("key");

    /// <summary>All that a refused request could have changed: the rows of jobs and of the ledger, and the contents.</summary>
    private async Task<State> StateAsync()
    {
        await using var rows = new SqliteConnection($"Data Source={Path.Combine(Up.Folder, "data", "cairn.db")};Mode=ReadOnly;Pooling=False");
        await rows.OpenAsync(Ct);
        var blobs = Path.Combine(Up.Folder, "data", "blobs");
        return new State(
            await CountAsync(rows, "jobs"), await CountAsync(rows, "job_events"), await CountAsync(rows, "ledger_transactions"),
                await CountAsync(rows, "ledger_entries"),
            Directory.Exists(blobs) ? Directory.EnumerateFiles(blobs, "*", SearchOption.AllDirectories).Count() : 0);
    }

    private static async Task<long> CountAsync(SqliteConnection rows, string table)
    {
        await using var command = rows.CreateCommand();
        command.CommandText = $"SELECT COUNT(*) FROM {table}";
        return (long)(await command.ExecuteScalarAsync(Ct))!;
    }

    private sealed record State(long Jobs, long Events, long Transactions, long Entries, int Blobs);
}
