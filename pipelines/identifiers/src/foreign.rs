//! Names of persons of other countries: a first name and a family name of the usual ones.

/// First names, unaccented.
pub(crate) const FIRST_NAMES: &str = "john james robert michael william david richard joseph thomas charles \
    christopher daniel matthew anthony mark donald steven andrew kenneth joshua kevin brian george \
    edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin \
    mary patricia jennifer linda elizabeth barbara susan jessica sarah karen nancy lisa margaret betty \
    sandra ashley dorothy kimberly emily donna michelle carol amanda melissa deborah stephanie rebecca \
    laura sharon cynthia kathleen amy angela shirley anna brenda pamela nicole peter paul alexander \
    ivan sergei vladimir dmitri olga natalia elena tatiana svetlana maria jose juan carlos luis antonio \
    francisco pierre jean jacques francois michel philippe marie nathalie isabelle sophie hans klaus \
    wolfgang jurgen stefan giovanni giuseppe marco paolo hiroshi takeshi kenji yuki akira haruto yuko \
    keiko satoshi kazuo min ji seo hyun jung sung soo young jin eun hye dong jun ahmed mohammed ali omar \
    fatima aisha hassan ibrahim raj priya rahul sanjay anil wei ming jing fang xiao hui li zhang \
    emma olivia noah liam lucas oliver henry samuel benjamin adam peter simon martin victor";
/// Family names, unaccented.
pub(crate) const FAMILY_NAMES: &str = "smith johnson williams brown jones garcia miller davis rodriguez \
    martinez hernandez lopez gonzalez wilson anderson taylor moore jackson martin lee perez thompson \
    white harris sanchez clark ramirez lewis robinson walker young allen king wright scott torres hill \
    flores green adams nelson baker hall rivera campbell mitchell carter roberts kim park choi jung kang \
    cho yoon jang lim han oh seo shin kwon hwang ahn song wang li zhang liu chen yang huang zhao wu zhou \
    xu sun ma zhu hu guo lin he gao tanaka suzuki sato takahashi watanabe ito yamamoto nakamura kobayashi \
    kato yoshida yamada sasaki muller schmidt schneider fischer weber meyer wagner becker schulz \
    hoffmann dubois dupont durand leroy moreau petit bernard rossi russo ferrari bianchi ivanov petrov \
    sidorov smirnov kuznetsov popov singh kumar sharma patel gupta khan hussain";
