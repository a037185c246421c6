using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Serving.Gateways;

namespace Cairn.Serving.Tests.Alone;

public sealed class A_report_is_judged
{
    [Theory]
    [InlineData("\"asks\":null", "asks is null")]
    [InlineData("\"asks\":[null]", "asks has an entry that is null")]
    [InlineData("\"returns\":null", "returns is null")]
    [InlineData("\"returns\":[null]", "returns has an entry that is null")]
    [InlineData("\"loads\":null", "loads is null")]
    [InlineData("\"loads\":[null]", "loads has an entry that is null")]
    [InlineData("\"loads\":[{\"endpoint\":\"0198a1b2-0000-7000-8000-000000000003\",\"running\":0,\"queued\":0,\"tokens\":0,\"arrived\":0,\"times\":null,\"revisions\":[]}]", "loads.times is null")]
    [InlineData("\"loads\":[{\"endpoint\":\"0198a1b2-0000-7000-8000-000000000003\",\"running\":0,\"queued\":0,\"tokens\":0,\"arrived\":0,\"times\":[]}]", "loads.revisions is null")]
    [InlineData("\"replicas\":null", "replicas is null")]
    [InlineData("\"replicas\":[null]", "replicas has an entry that is null")]
    [InlineData("\"usage\":{\"sequence\":1,\"at\":\"2026-03-04T12:00:00Z\",\"lines\":null}", "usage.lines is null")]
    [InlineData("\"usage\":{\"sequence\":1,\"at\":\"2026-03-04T12:00:00Z\",\"lines\":[null]}", "usage.lines has an entry that is null")]
    [InlineData("\"usage\":null", null)]
    [InlineData("\"asks\":[]", null)]
    public void What_is_null_and_may_not_be_is_named(string member, string? problem)
    {
        var report = JsonSerializer.Deserialize<GatewayReport>($$"""{"gateway":"0198a1b2-0000-7000-8000-000000000001","name":"edge",{{member}}}""", ApiJson.Compact)!;
        Assert.StartsWith(problem ?? "", ReportChecks.Problem(report) ?? "", StringComparison.Ordinal);
        Assert.Equal(problem is null, ReportChecks.Problem(report) is null);
    }

    [Theory]
    [InlineData("\"id\":\"nonsense\"", "id is no request's")]
    [InlineData("\"id\":null", "id is no request's")]
    [InlineData("\"id\":\"req_0123456789abcdef01234567\",\"project\":\"0198a1b2-0000-7000-8000-000000000003\"", "request and project")]
    [InlineData("\"id\":\"req_0123456789abcdef01234567\"", null)]
    public void So_is_what_an_explanation_lacks(string member, string? problem)
    {
        var told = JsonSerializer.Deserialize<ExplanationReport>($$"""{"gateway":"0198a1b2-0000-7000-8000-000000000001",{{member}}}""", ApiJson.Compact)!;
        Assert.StartsWith(problem ?? "", ReportChecks.Problem(told) ?? "", StringComparison.Ordinal);
        Assert.Equal(problem is null, ReportChecks.Problem(told) is null);
    }
}
