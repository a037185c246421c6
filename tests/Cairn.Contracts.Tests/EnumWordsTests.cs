using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Offers;

namespace Cairn.Contracts.Tests;

public sealed class EnumWordsTests
{
    [Fact]
    public void A_member_is_written_as_the_API_writes_it()
    {
        foreach (var model in Enum.GetValues<DeploymentModel>())
            Assert.Equal(JsonSerializer.Serialize(model, ApiJson.Compact), $"\"{EnumWords.Of(model)}\"");
        Assert.Equal("on_premises", EnumWords.Of(DeploymentModel.OnPremises));
    }

    [Fact]
    public void Every_word_is_read_back()
    {
        Assert.Equal(Enum.GetValues<DeploymentModel>(), EnumWords.All<DeploymentModel>().Select(word => EnumWords.Find<DeploymentModel>(word)!.Value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("OnPremises")]
    [InlineData("On_Premises")]
    [InlineData("on-premises")]
    [InlineData("0")]
    public void Anything_else_is_no_word(string text) => Assert.Null(EnumWords.Find<DeploymentModel>(text));

    [Fact]
    public void A_value_that_is_no_member_is_written_as_its_number() => Assert.Equal("99", EnumWords.Of((DeploymentModel)99));
}
